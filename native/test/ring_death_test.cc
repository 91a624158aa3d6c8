// Processes that share a ring are killed: at every instruction of each operation, and at random moments under load.
// What the others see is checked message by message. test/support/deaths.h: how many.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "ipc/ring.h"
#include "sys/mapping.h"
#include "sys/robust_mutex.h"
#include "sys/sleep.h"
#include "test/support/child.h"
#include "test/support/deaths.h"
#include "test/support/outcome.h"
#include "test/support/ring_client.h"

using namespace mp;
using ipc::Ring;
using test::Message;

namespace {

constexpr uint32_t kProducers = 4;  // at a time
constexpr uint32_t kConsumers = 4;
constexpr uint32_t kMaxLives = 400;  // of each kind, one after the other
constexpr uint32_t kMaxMessages = 1 << 20;

struct Head {
  uint32_t producer;
  uint32_t number;
  uint32_t size;
  uint32_t check;
};

uint32_t check_of(const Head& head) { return head.producer * 2654435761u ^ head.number * 40503u ^ head.size; }

// What happened, in memory that outlives the processes.
struct Journal {
  std::atomic<uint32_t> acknowledged[kMaxLives];  // put() has returned for so many, by producer
  std::atomic<uint32_t> torn;
  std::atomic<uint32_t> out_of_order;
  std::atomic<uint32_t> received;
  std::atomic<uint64_t> log[kMaxMessages];  // producer and number of each message received
};

Message message_of(uint32_t producer, uint32_t number) {
  const uint32_t size = sizeof(Head) + number * 7919 % (number % 64 == 0 ? 200'000 : number % 16 == 0 ? 20'000 : 200);
  Message message = test::numbered(number, size);
  Head head{producer, number, size, 0};
  head.check = check_of(head);
  std::memcpy(message.data(), &head, sizeof(head));
  return message;
}

int produce(Ring& ring, Journal& journal, uint32_t producer) {
  for (uint32_t number = 1;; ++number) {
    if (!test::put_waiting(ring, message_of(producer, number))) return 0;
    journal.acknowledged[producer] = number;
  }
}

int consume(Ring& ring, Journal& journal) {
  std::vector<uint32_t> last(kMaxLives);
  while (const auto message = test::take_waiting(ring)) {
    Head head{};
    if (message->size() >= sizeof(head)) std::memcpy(&head, message->data(), sizeof(head));
    if (head.producer >= kMaxLives || head.check != check_of(head) ||
        *message != message_of(head.producer, head.number)) {
      journal.torn += 1;
      continue;
    }
    if (head.number <= last[head.producer]) journal.out_of_order += 1;
    last[head.producer] = head.number;
    // A death between the two steps leaves a hole: this message is then the one that a dead process had just taken.
    journal.log[journal.received++ % kMaxMessages] = uint64_t{head.producer} << 32 | head.number;
  }
  return 0;
}

template <typename Trial>
void over_instructions(Trial trial, long fewer = 1) {
  test::over_every(31, trial, fewer);
}

void fall_asleep_for_items(Ring& ring) { CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty); }

}  // namespace

TEST_CASE("killed in put: the message is in whole or not at all, and then the sleeper is woken") {
  const Message message = test::numbered(1, 100);
  Ring warm = test::must(Ring::create(1 << 20, 0));
  fall_asleep_for_items(warm);
  test::put(warm, message);
  over_instructions([&](auto kill) {
    Ring ring = test::must(Ring::create(1 << 20, 0));
    fall_asleep_for_items(ring);
    kill([&] { test::put(ring, message); });
    const bool is_in = ring.size() == 1;
    if (is_in) REQUIRE(test::is_ringing(test::items_bell(ring)));
    if (!is_in) test::put(ring, message);
    REQUIRE(test::is_ringing(test::items_bell(ring)));
    REQUIRE(test::take(ring) == message);
    REQUIRE(test::take(ring) == std::nullopt);
  });
}

TEST_CASE("killed in take: the message is still there or gone, and then who waits for space is woken") {
  const Message first = test::numbered(1, 100), second = test::numbered(2, 50);
  const auto fill = [&] {
    Ring ring = test::must(Ring::create(1 << 20, 2));
    test::put(ring, first);
    test::put(ring, second);
    CHECK(test::put(ring, first, true) == ipc::PutOutcome::kFull);
    return ring;
  };
  Ring warm = fill();
  test::take(warm);
  over_instructions([&](auto kill) {
    Ring ring = fill();
    kill([&] { test::take(ring); });
    const bool is_gone = ring.size() == 1;
    if (is_gone) REQUIRE(test::is_ringing(test::space_bell(ring)));
    if (!is_gone) REQUIRE(test::take(ring) == first);
    REQUIRE(test::is_ringing(test::space_bell(ring)));
    REQUIRE(test::take(ring) == second);
    REQUIRE(test::take(ring) == std::nullopt);
  });
}

TEST_CASE("killed when the last message is taken and memory is given back: the ring goes on") {
  const Message last = test::numbered(1, 100), large = test::numbered(2, 100 << 10);
  const auto fill = [&](uint32_t before) {
    Ring ring = test::must(Ring::create(16 << 20, 0));
    for (uint32_t i = 0; i < before; ++i) test::put(ring, large);
    test::put(ring, last);
    for (uint32_t i = 0; i < before; ++i) test::take(ring);
    return ring;
  };
  for (const uint32_t before : {0, 15}) {  // 15: some of it has been given back earlier
    Ring warm = fill(before);
    test::take(warm);
    over_instructions([&](auto kill) {
      Ring ring = fill(before);
      kill([&] { test::take(ring); });
      if (ring.size() == 1) REQUIRE(test::take(ring) == last);
      for (int round = 0; round < 2; ++round) {
        REQUIRE(test::put(ring, large) == ipc::PutOutcome::kDone);
        REQUIRE(test::take(ring) == large);
      }
    });
  }
}

TEST_CASE("killed in end: it is ended and everybody is woken, or it is not ended") {
  Ring warm = test::must(Ring::create(1 << 20, 0));
  REQUIRE(warm.end().ok());
  over_instructions([&](auto kill) {
    Ring ring = test::must(Ring::create(1 << 20, 1));
    fall_asleep_for_items(ring);
    kill([&] { static_cast<void>(ring.end()); });
    const bool ended = test::put(ring, {1}) == ipc::PutOutcome::kEnded;
    REQUIRE(test::is_ringing(test::items_bell(ring)));
    if (ended) REQUIRE(test::is_ringing(test::space_bell(ring)));
    REQUIRE(test::take(ring).has_value() == !ended);
  });
}

TEST_CASE("killed with a large message: it is in or not, out or not, and no segment is lost") {
  // Little room: what a dead process leaves taken would soon be missed. In so small a ring this is a large message.
  constexpr uint64_t kCapacity = 8 * ipc::kRingPage;
  const Message large = test::numbered(3, 1100);
  Ring ring = test::must(Ring::create(kCapacity, 0));
  test::put(ring, large);
  test::take(ring);
  over_instructions([&](auto kill) {
    kill([&] { test::put(ring, large); });
    if (ring.size() == 0) REQUIRE(test::put(ring, large) == ipc::PutOutcome::kDone);
    REQUIRE(test::put(ring, large) == ipc::PutOutcome::kDone);
    for (int left = 2; left > 0; --left) REQUIRE(test::take(ring) == large);
  });
  test::put(ring, large);
  over_instructions([&](auto kill) {
    REQUIRE(test::put(ring, large) == ipc::PutOutcome::kDone);
    kill([&] { test::take(ring); });
    if (ring.size() == 2) REQUIRE(test::take(ring) == large);
    REQUIRE(ring.size() == 1);
  });
}

TEST_CASE("killed with a message that it keeps: the segments are the ring's again") {
  Ring ring = test::must(Ring::create(16 << 20, 0));
  const Message large = test::numbered(3, 20'000);
  const auto keep_one = [&] {
    auto taken = ring.take_to_keep(0, false);
    if (!taken.ok() || !taken.value().loan || taken.value().loan->bytes[large.size() - 1] != large.back()) abort();
    if (!ring.give_back_kept(*taken.value().loan).ok()) abort();
  };
  test::put(ring, large);
  keep_one();
  over_instructions(
      [&](auto kill) {
        while (ring.size() < 2) test::put(ring, large);
        kill(keep_one);
        while (ring.size() > 0) keep_one();
      },
      37);
}

TEST_CASE("killed with a loan in its hands: the segments are the ring's again") {
  Ring ring = test::must(Ring::create(8 * ipc::kRingPage, 0));
  constexpr uint64_t kSize = 2 * ipc::kRingPage;
  const auto write_one = [&] {
    auto loan = ring.lend(kSize, false);
    if (!loan.ok() || !loan.value()) abort();
    loan.value()->bytes[kSize - 1] = 9;
    if (!ring.put_loan(*loan.value(), kSize, false).ok()) abort();
  };
  const auto read_one = [&] {
    auto taken = ring.take_loan(false);
    if (!taken.ok() || !taken.value().loan || taken.value().loan->bytes[kSize - 1] != 9) abort();
    if (!ring.give_back(*taken.value().loan).ok()) abort();
  };
  write_one();
  read_one();
  over_instructions(
      [&](auto kill) {
        kill(write_one);
        while (ring.size() < 2) write_one();
        kill(read_one);
        while (ring.size() > 0) read_one();
      },
      37);  // a process reads its own start time from /proc
}

TEST_CASE("killed with descriptors: they come with their message or not at all") {
  Ring ring = test::must(Ring::create(1 << 20, 0));
  const int fds[] = {0};
  const Message message = test::numbered(1, 10);
  const Ring::Bytes part = message;
  const auto put_one = [&] {
    if (!ring.put({&part, 1}, false, fds).ok()) abort();
  };
  put_one();
  put_one();
  test::take(ring);
  test::take(ring);
  Message buffer(64);
  over_instructions([&](auto kill) {
    kill(put_one);
    put_one();
    kill([&] { test::take(ring); });
    put_one();
    for (uint64_t left = ring.size(); left > 0 && ring.size() > 0; --left) {
      const ipc::Taken taken = test::take_whole(ring, buffer, false);
      if (taken.outcome == ipc::TakeOutcome::kMessage) REQUIRE(taken.descriptors.size() == 1);
    }
    REQUIRE(ring.size() == 0);
  });
}

TEST_CASE("killed when counting what is done: it is counted or not, and who joins is woken") {
  Ring warm = test::must(Ring::create(1 << 20, 0));
  test::put(warm, {1});
  CHECK(test::must(warm.unfinished(true)) == 1);
  CHECK(test::must(warm.count_done()) == ipc::DoneOutcome::kDone);
  over_instructions([&](auto kill) {
    Ring ring = test::must(Ring::create(1 << 20, 0));
    test::put(ring, {1});
    CHECK(test::must(ring.unfinished(true)) == 1);
    kill([&] { static_cast<void>(ring.count_done()); });
    const uint64_t left = test::must(ring.unfinished(false));
    if (left == 1) REQUIRE(test::must(ring.count_done()) == ipc::DoneOutcome::kDone);
    REQUIRE(test::is_ringing(test::done_bell(ring)));
    REQUIRE(test::must(ring.unfinished(false)) == 0);
  });
}

TEST_CASE("whoever is killed wherever: nothing committed is lost but what a dead one had just taken") {
  const uint32_t kills = test::wanted_kills();
  const uint32_t seed = std::random_device()();
  INFO("seed ", seed);
  std::mt19937 random(seed);
  uint32_t done = 0;
  while (done < kills) {
    const uint64_t max_count = random() % 3 == 0 ? 0 : 1 + random() % 8;
    Ring ring = test::must(Ring::create(random() % 2 == 0 ? 1 << 20 : 64 << 20, max_count));
    const auto journal = test::make_shared_with_children<Journal>();
    uint32_t lives = 0;
    uint32_t dead_consumers = 0;
    const auto new_producer = [&] {
      return test::Child([&, life = lives++] { return produce(ring, *journal, life); });
    };
    const auto new_consumer = [&] { return test::Child([&] { return consume(ring, *journal); }); };
    std::vector<std::unique_ptr<test::Child>> producers, consumers;
    for (uint32_t i = 0; i < kProducers; ++i) producers.push_back(std::make_unique<test::Child>(new_producer()));
    for (uint32_t i = 0; i < kConsumers; ++i) consumers.push_back(std::make_unique<test::Child>(new_consumer()));
    for (int round = 0; round < 50 && done < kills && journal->received < kMaxMessages / 2; ++round, ++done) {
      static_cast<void>(sys::sleep_until(sys::deadline_after(random() % 2000 / 1000.0)));
      if (random() % 2 == 0) {
        auto& victim = producers[random() % kProducers];
        victim.reset();
        victim = std::make_unique<test::Child>(new_producer());
      } else {
        auto& victim = consumers[random() % kConsumers];
        victim.reset();
        dead_consumers += 1;
        victim = std::make_unique<test::Child>(new_consumer());
      }
    }
    // Progress: the ring still passes messages on, so nobody sleeps for ever.
    const uint32_t before = journal->received;
    while (journal->received < before + 1000) static_cast<void>(sys::sleep_until(sys::deadline_after(1)));
    REQUIRE(ring.end().ok());
    for (auto& producer : producers) CHECK(producer->join() == 0);
    for (auto& consumer : consumers) CHECK(consumer->join() == 0);

    CHECK(journal->torn == 0);
    CHECK(journal->out_of_order == 0);
    REQUIRE(journal->received < kMaxMessages);
    std::vector<std::vector<bool>> seen(lives);
    uint32_t doubled = 0;
    for (uint32_t i = 0; i < journal->received; ++i) {
      const uint64_t entry = journal->log[i];
      const uint32_t number = static_cast<uint32_t>(entry);
      if (number == 0) continue;  // its consumer was killed between the two steps of writing it down
      auto& numbers = seen[entry >> 32];
      if (numbers.size() <= number) numbers.resize(number + 1);
      if (numbers[number]) doubled += 1;
      numbers[number] = true;
    }
    CHECK(doubled == 0);
    uint32_t missing = 0;
    for (uint32_t life = 0; life < lives; ++life) {
      for (uint32_t number = 1; number <= journal->acknowledged[life]; ++number) {
        if (number >= seen[life].size() || !seen[life][number]) missing += 1;
      }
    }
    CHECK(missing <= dead_consumers);
    CHECK(ring.size() == 0);
  }
}
