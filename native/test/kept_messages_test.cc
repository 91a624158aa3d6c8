#include "ipc/kept_messages.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "test/support/child.h"
#include "test/support/outcome.h"
#include "test/support/ring_client.h"

using namespace mp;
using ipc::KeptMessage;
using ipc::KeptMessages;
using ipc::Ring;
using test::Message;

namespace {

constexpr size_t kLarge = 300'000;

struct Keeper {
  std::shared_ptr<KeptMessages> all = std::make_shared<KeptMessages>();
  std::shared_ptr<Ring> ring = std::make_shared<Ring>(test::must(Ring::create(64 << 20, 0)));

  void put(uint8_t value) { test::put(*ring, Message(kLarge, value)); }

  // nullptr: the message is to be taken.
  KeptMessage* keep() {
    auto taken = test::must(ring->take_to_keep(0, false));
    return taken.loan ? all->keep(ring, *taken.loan) : nullptr;
  }

  void release(KeptMessage* message) { all->release(std::unique_ptr<KeptMessage>(message)); }
};

bool is_filled(const KeptMessage* message, uint8_t value) {
  const auto bytes = message->loan.bytes;
  return bytes.size() == kLarge && std::all_of(bytes.begin(), bytes.end(), [&](uint8_t byte) { return byte == value; });
}

}  // namespace

TEST_CASE("a message that is kept stays as it is, and its place is used again when it is released") {
  Keeper keeper;
  keeper.put(1);
  KeptMessage* kept = keeper.keep();
  REQUIRE(kept != nullptr);
  const uint8_t* place = kept->loan.bytes.data();
  for (uint8_t i = 0; i < 10; ++i) {
    keeper.put(i);
    CHECK(test::take(*keeper.ring) == Message(kLarge, i));
  }
  CHECK(is_filled(kept, 1));
  std::thread([&] { keeper.release(kept); }).join();  // as V8's sweeper does
  keeper.put(2);
  KeptMessage* next = keeper.keep();
  REQUIRE(next != nullptr);
  CHECK(next->loan.bytes.data() == place);
  keeper.release(next);
}

TEST_CASE("messages are kept while that is in nobody's way") {
  Keeper keeper;
  std::vector<KeptMessage*> kept;
  for (uint8_t i = 0;; ++i) {
    keeper.put(i);
    KeptMessage* message = keeper.keep();
    if (message == nullptr) break;
    kept.push_back(message);
  }
  CHECK(kept.size() * kLarge <= (64 << 20) / 16);
  CHECK(kept.size() >= 10);
  CHECK(test::take(*keeper.ring).has_value());
  // What fits an empty ring still does.
  const uint64_t longest = ((64 << 20) - (64 << 20) / 16) / 3 - 2 * 65536;
  CHECK(test::put(*keeper.ring, Message(longest, 9)) == ipc::PutOutcome::kDone);
  CHECK(test::take(*keeper.ring) == Message(longest, 9));
  for (size_t i = 0; i < kept.size(); ++i) {
    CHECK(is_filled(kept[i], static_cast<uint8_t>(i)));
    keeper.release(kept[i]);
  }
  // Half of the table of loans is for those that are given back.
  Ring other = test::must(Ring::create(uint64_t{8} << 30, 0));
  uint32_t count = 0;
  for (;; ++count) {
    test::put(other, Message(20'000, 1));
    if (!test::must(other.take_to_keep(0, false)).loan) break;
  }
  CHECK(count == ipc::kRingLoans / 2);
}

TEST_CASE("a message that is not large enough, or not there, is not kept") {
  Keeper keeper;
  keeper.put(1);
  const auto taken = test::must(keeper.ring->take_to_keep(kLarge + 1, false));
  CHECK(taken.outcome == ipc::TakeOutcome::kTooLong);
  CHECK(taken.size == kLarge);
  CHECK(test::take(*keeper.ring).has_value());
  CHECK(test::must(keeper.ring->take_to_keep(0, true)).outcome == ipc::TakeOutcome::kEmpty);
  REQUIRE(keeper.ring->end().ok());
  CHECK(test::must(keeper.ring->take_to_keep(0, true)).outcome == ipc::TakeOutcome::kEnded);
}

TEST_CASE("settled messages are the process's own: a child has a copy, and the ring its places") {
  Keeper keeper;
  std::vector<KeptMessage*> kept;
  for (uint8_t i = 0; i < 3; ++i) {
    keeper.put(i);
    kept.push_back(keeper.keep());
    REQUIRE(kept.back() != nullptr);
  }
  REQUIRE(keeper.all->settle().ok());
  CHECK(test::in_child([&] {
          for (uint8_t i = 0; i < 3; ++i) {
            if (!is_filled(kept[i], i)) return 1;
            std::fill(kept[i]->loan.bytes.begin(), kept[i]->loan.bytes.end(), uint8_t{7});
          }
          // Where they were are others now, in this process too.
          for (uint8_t i = 10; i < 20; ++i) {
            keeper.put(i);
            KeptMessage* message = keeper.keep();
            if (message == nullptr || !is_filled(message, i)) return 2;
          }
          for (KeptMessage* message : kept) {
            if (!is_filled(message, 7)) return 3;
            keeper.release(message);
          }
          return 0;
        }) == 0);
  for (uint8_t i = 0; i < 20; ++i) {
    keeper.put(i);
    CHECK(test::take(*keeper.ring) == Message(kLarge, i));
  }
  for (uint8_t i = 0; i < 3; ++i) CHECK(is_filled(kept[i], i));
  REQUIRE(keeper.all->settle().ok());
  for (KeptMessage* message : kept) keeper.release(message);
}

TEST_CASE("a child that was forked without settle() gives nothing back") {
  Keeper keeper;
  keeper.put(1);
  KeptMessage* kept = keeper.keep();
  REQUIRE(kept != nullptr);
  CHECK(test::in_child([&] {
          keeper.release(kept);
          for (uint8_t i = 0; i < 10; ++i) keeper.put(9);
          return 0;
        }) == 0);
  CHECK(is_filled(kept, 1));
  keeper.release(kept);
}

TEST_CASE("what is kept of a ring that was closed stays") {
  Keeper keeper;
  keeper.put(1);
  KeptMessage* released = keeper.keep();
  keeper.put(2);
  KeptMessage* kept = keeper.keep();
  REQUIRE(released != nullptr);
  REQUIRE(kept != nullptr);
  Ring others = test::must(Ring::open(test::copies_of(keeper.ring->files())));
  REQUIRE(keeper.all->settle(keeper.ring.get()).ok());
  const std::weak_ptr<Ring> closed = keeper.ring;
  keeper.ring.reset();
  CHECK(closed.expired());  // with its descriptors and its mapping
  keeper.release(released);
  for (uint8_t i = 10; i < 20; ++i) {
    test::put(others, Message(kLarge, i));
    CHECK(test::take(others) == Message(kLarge, i));
  }
  CHECK(is_filled(kept, 2));
  keeper.release(kept);
}
