// Processes that share a ring are killed on the way to sleep, or on the way to wake others: no other sleeper is
// forgotten.
#include <doctest/doctest.h>

#include <vector>

#include "ipc/ring.h"
#include "sys/mapping.h"
#include "sys/robust_mutex.h"
#include "test/support/child.h"
#include "test/support/deaths.h"
#include "test/support/outcome.h"
#include "test/support/ring_client.h"

using namespace mp;
using ipc::Ring;
using test::Message;

namespace {

template <typename Trial>
void over_instructions(Trial trial, long fewer = 1) {
  test::over_every(31, trial, fewer);
}

// Does something when a process that runs step by step has looked for the first time: it has had the end's mutex.
template <typename Action>
class AfterFirstLook {
 public:
  AfterFirstLook(const Ring& ring, ipc::RingEnd ipc::RingHeader::*end, Action action)
      : mapping_(test::must(sys::Mapping::shared(ring.files().memory.get(), sizeof(ipc::RingHeader)))),
        mutex_(&(reinterpret_cast<ipc::RingHeader*>(mapping_.data())->*end).mutex),
        action_(action) {}

  bool operator()() {
    const bool is_free = test::must(sys::RobustLock::try_lock(mutex_)).has_value();
    was_held_ = was_held_ || !is_free;
    if (was_held_ && is_free) action_();
    return was_held_ && is_free;
  }

 private:
  sys::Mapping mapping_;
  pthread_mutex_t* mutex_;
  Action action_;
  bool was_held_ = false;
};

void fall_asleep_for_items(Ring& ring) { CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty); }

}  // namespace

TEST_CASE("killed on the way to sleep: no other sleeper is forgotten") {
  const auto rung_and_empty = [] {
    Ring ring = test::must(Ring::create(1 << 20, 0));
    fall_asleep_for_items(ring);
    test::put(ring, {1});
    test::take(ring);
    return ring;
  };
  Ring warm = rung_and_empty();
  fall_asleep_for_items(warm);
  over_instructions([&](auto kill) {
    Ring ring = rung_and_empty();
    kill([&] { static_cast<void>(ring.take({}, true)); });
    test::put(ring, {2});
    REQUIRE(test::is_ringing(test::items_bell(ring)));
  });
}

TEST_CASE("killed on the way to sleep after messages came: who sleeps is woken for what is left") {
  Message buffer(8);
  Ring warm = test::must(Ring::create(1 << 20, 0));
  fall_asleep_for_items(warm);
  test::put(warm, {1});
  static_cast<void>(warm.take(buffer, true));
  over_instructions([&](auto kill) {
    Ring ring = test::must(Ring::create(1 << 20, 0));
    fall_asleep_for_items(ring);
    AfterFirstLook come(ring, &ipc::RingHeader::head, [&] {
      for (int i = 0; i < 2; ++i) test::put(ring, {1});
    });
    kill([&] { static_cast<void>(ring.take(buffer, true)); }, std::ref(come));
    if (ring.size() > 0) REQUIRE(test::is_ringing(test::items_bell(ring)));
  });
}

TEST_CASE("killed on the way to sleep after messages were taken: who waits for space is woken for what is left") {
  const auto fill = [] {
    Ring ring = test::must(Ring::create(1 << 20, 2));
    for (int i = 0; i < 2; ++i) test::put(ring, {1});
    CHECK(test::put(ring, {2}, true) == ipc::PutOutcome::kFull);
    return ring;
  };
  Ring warm = fill();
  test::take(warm);
  over_instructions([&](auto kill) {
    Ring ring = fill();
    AfterFirstLook gone(ring, &ipc::RingHeader::tail, [&] {
      for (int i = 0; i < 2; ++i) test::take(ring);
    });
    kill([&] { test::put(ring, {3}, true); }, std::ref(gone));
    if (ring.size() < 2) REQUIRE(test::is_ringing(test::space_bell(ring)));
  });
}

TEST_CASE("killed when room was given back, on the way to sleep or in giving it: who waits for space is woken") {
  const Message large = test::numbered(1, 1100);  // needs a segment
  std::vector<ipc::Loan> loans;
  const auto lend_all = [&] {
    Ring ring = test::must(Ring::create(8 * ipc::kRingPage, 0));
    loans.clear();
    while (const auto loan = test::must(ring.lend(1, false))) loans.push_back(*loan);
    CHECK(test::put(ring, large, true) == ipc::PutOutcome::kFull);
    return ring;
  };
  const auto check = [&](Ring& ring) {
    const bool rings = test::is_ringing(test::space_bell(ring));
    if (test::put(ring, large) == ipc::PutOutcome::kDone) REQUIRE(rings);
  };
  Ring warm = lend_all();
  CHECK(warm.give_back(loans[0]).ok());
  over_instructions(
      [&](auto kill) {
        Ring ring = lend_all();
        AfterFirstLook given(ring, &ipc::RingHeader::tail, [&] {
          for (int i = 0; i < 2; ++i) CHECK(ring.give_back(loans[i]).ok());
        });
        kill([&] { test::put(ring, large, true); }, std::ref(given));
        check(ring);
      },
      17);  // it asks whether who has the loans still lives
  over_instructions([&](auto kill) {
    Ring ring = lend_all();
    kill([&] { static_cast<void>(ring.give_back(loans[0])); });
    check(ring);
  });
}

TEST_CASE("killed before the room of a message is given back: it is for all who wait for space") {
  const Message large = test::numbered(1, ipc::kRingPage + 1);  // two segments
  const Message shorter = test::numbered(2, 1100);              // one
  Message buffer(large.size());
  const auto fill = [&] {
    Ring ring = test::must(Ring::create(8 * ipc::kRingPage, 0));
    test::put(ring, large);
    while (test::put(ring, shorter) == ipc::PutOutcome::kDone) continue;
    CHECK(test::put(ring, shorter, true) == ipc::PutOutcome::kFull);
    return ring;
  };
  Ring warm = fill();
  static_cast<void>(warm.take(buffer, false));
  over_instructions(
      [&](auto kill) {
        Ring ring = fill();
        const uint64_t before = ring.size();
        kill([&] { static_cast<void>(ring.take(buffer, false)); },
             [&] { return test::is_ringing(test::space_bell(ring)); });
        if (ring.size() == before) return;
        REQUIRE(test::put(ring, shorter, true) == ipc::PutOutcome::kDone);
        REQUIRE(test::is_ringing(test::space_bell(ring)));
        REQUIRE(test::put(ring, shorter) == ipc::PutOutcome::kDone);
      },
      3);  // it copies byte by byte before
}

TEST_CASE("killed on the way to sleep until all is done: no other sleeper is forgotten") {
  for (const bool is_done : {false, true}) {
    const auto ask = [&] {
      Ring ring = test::must(Ring::create(1 << 20, 0));
      test::put(ring, {1});
      CHECK(test::must(ring.unfinished(true)) == 1);
      if (is_done) CHECK(test::must(ring.count_done()) == ipc::DoneOutcome::kDone);
      return ring;
    };
    Ring warm = ask();
    static_cast<void>(warm.unfinished(true));
    over_instructions([&](auto kill) {
      Ring ring = ask();
      kill([&] { static_cast<void>(ring.unfinished(true)); });
      if (!is_done) CHECK(test::must(ring.count_done()) == ipc::DoneOutcome::kDone);
      REQUIRE(test::is_ringing(test::done_bell(ring)));
    });
  }
}
