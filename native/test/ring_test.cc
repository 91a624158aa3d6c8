#include "ipc/ring.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "sys/descriptor.h"
#include "sys/mapping.h"
#include "sys/memory_object.h"
#include "sys/pipe.h"
#include "sys/process_status.h"
#include "sys/robust_mutex.h"
#include "sys/sleep.h"
#include "test/support/outcome.h"
#include "test/support/ring_client.h"

using namespace mp;
using ipc::PutOutcome;
using ipc::Ring;
using test::Message;
using test::numbered;

namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSmall = 5 * kPage;

Ring ring_of(uint64_t capacity, uint64_t max_count = 0) { return test::must(Ring::create(capacity, max_count)); }

int64_t memory_of(const Ring& ring) {
  struct stat status;
  REQUIRE(fstat(ring.files().memory.get(), &status) == 0);
  return status.st_blocks * 512;
}

}  // namespace

TEST_CASE("messages of any size come out whole and in order") {
  Ring ring = ring_of(16 << 20);
  const size_t sizes[] = {0, 1, 7, 8, 9, 63, 64, 65, 4095, 4096, 100'000, 3'000'000};
  for (const size_t size : sizes) REQUIRE(test::put(ring, numbered(1, size)) == PutOutcome::kDone);
  CHECK(ring.size() == std::size(sizes));
  for (const size_t size : sizes) CHECK(test::take(ring) == numbered(1, size));
  CHECK(test::take(ring) == std::nullopt);
  CHECK(ring.size() == 0);
}

TEST_CASE("a message is joined from its parts") {
  Ring ring = ring_of(kSmall);
  const Message first{1, 2, 3}, none{}, second{4, 5};
  const Ring::Bytes parts[] = {first, none, second};
  CHECK(test::must(ring.put(parts, false)) == PutOutcome::kDone);
  CHECK(test::take(ring) == Message{1, 2, 3, 4, 5});
}

TEST_CASE("a bounded ring is full at its count") {
  Ring ring = ring_of(kSmall, 2);
  CHECK(test::put(ring, {1}) == PutOutcome::kDone);
  CHECK(test::put(ring, {2}) == PutOutcome::kDone);
  CHECK(test::put(ring, {3}) == PutOutcome::kFull);
  CHECK(test::take(ring) == Message{1});
  CHECK(test::put(ring, {3}) == PutOutcome::kDone);
  CHECK(test::take(ring) == Message{2});
  CHECK(test::take(ring) == Message{3});
}

TEST_CASE("a message of a third of the ring always fits an empty one, a longer one never") {
  for (const uint64_t pages : {5, 6, 7, 20}) {
    const uint64_t longest = (pages - 2) / 3 * kPage;
    for (uint32_t before = 0; before < 60; ++before) {
      Ring ring = ring_of(pages * kPage);
      for (uint32_t i = 0; i < before; ++i) {
        test::put(ring, numbered(i, 300));
        REQUIRE(test::take(ring) == numbered(i, 300));
      }
      REQUIRE(test::put(ring, numbered(1, longest)) == PutOutcome::kDone);
      REQUIRE(test::take(ring) == numbered(1, longest));
      const Message longer = numbered(1, longest + 1);
      const Ring::Bytes part = longer;
      REQUIRE(test::failure(ring.put({&part, 1}, false)) == "put: EMSGSIZE");
    }
  }
  CHECK(test::failure(Ring::create(4 * kPage, 0)) == "mmap: EINVAL");
}

TEST_CASE("a ring without memory left is full, and goes on when some is taken") {
  Ring ring = ring_of(kSmall);
  uint32_t put = 0;
  while (test::put(ring, numbered(put, 1000)) == PutOutcome::kDone) ++put;
  CHECK(put >= 15);
  CHECK(test::put(ring, numbered(put, 1000), true) == PutOutcome::kFull);
  for (uint32_t i = 0; i < put; ++i) CHECK(test::take(ring) == numbered(i, 1000));
  CHECK(test::is_ringing(test::space_bell(ring)));
  CHECK(test::put(ring, numbered(put, 1000)) == PutOutcome::kDone);
}

TEST_CASE("an ended ring takes nothing and gives what it has") {
  Ring ring = ring_of(kSmall);
  test::put(ring, {1});
  REQUIRE(ring.end().ok());
  REQUIRE(ring.end().ok());
  CHECK(test::put(ring, {2}) == PutOutcome::kEnded);
  CHECK(test::take_waiting(ring) == Message{1});
  CHECK(test::take_waiting(ring) == std::nullopt);
  CHECK(test::is_ringing(test::items_bell(ring)));
  CHECK(test::is_ringing(test::space_bell(ring)));
}

TEST_CASE("the bell of items rings for who asked, until somebody finds nothing again") {
  Ring ring = ring_of(kSmall);
  test::put(ring, {1});
  test::take(ring);
  CHECK_FALSE(test::is_ringing(test::items_bell(ring)));
  CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty);
  CHECK_FALSE(test::is_ringing(test::items_bell(ring)));
  test::put(ring, {1});
  test::put(ring, {2});
  CHECK(test::is_ringing(test::items_bell(ring)));
  test::take(ring);
  test::take(ring);
  CHECK(test::is_ringing(test::items_bell(ring)));
  CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty);
  CHECK_FALSE(test::is_ringing(test::items_bell(ring)));
}

TEST_CASE("a bell that is held rings when it is told to, or for a long message, and only for who asked") {
  Ring ring = ring_of(kSmall);
  ring.hold_items_bell();
  REQUIRE(ring.ring_items_bell().ok());
  CHECK_FALSE(test::is_ringing(test::items_bell(ring)));
  CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty);
  CHECK(test::put(ring, {1}) == PutOutcome::kDone);
  CHECK(test::put(ring, {2}) == PutOutcome::kDone);
  CHECK_FALSE(test::is_ringing(test::items_bell(ring)));
  REQUIRE(ring.ring_items_bell().ok());
  CHECK(test::is_ringing(test::items_bell(ring)));
  CHECK(test::take(ring) == Message{1});
  CHECK(test::take(ring) == Message{2});
  CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty);
  CHECK_FALSE(test::is_ringing(test::items_bell(ring)));
  CHECK(test::put(ring, Message(kPage)) == PutOutcome::kDone);
  CHECK(test::is_ringing(test::items_bell(ring)));
}

TEST_CASE("the bell of space rings for who asked") {
  Ring ring = ring_of(kSmall, 1);
  test::put(ring, {1});
  CHECK(test::put(ring, {2}, true) == PutOutcome::kFull);
  CHECK_FALSE(test::is_ringing(test::space_bell(ring)));
  test::take(ring);
  CHECK(test::is_ringing(test::space_bell(ring)));
  test::put(ring, {1});
  CHECK(test::put(ring, {2}, true) == PutOutcome::kFull);
  CHECK_FALSE(test::is_ringing(test::space_bell(ring)));
}

TEST_CASE("the bell of space is silent while there is room, but not enough") {
  Ring ring = ring_of(8 * kPage, 100);
  const Message large = numbered(1, 2 * kPage);
  while (test::put(ring, numbered(1, 1000)) == PutOutcome::kDone) continue;
  for (int taken = 0; taken < 5; ++taken) {
    CHECK(test::put(ring, large, true) == PutOutcome::kFull);
    CHECK_FALSE(test::is_ringing(test::space_bell(ring)));
    test::take(ring);
    CHECK(test::is_ringing(test::space_bell(ring)));
  }
  CHECK_FALSE(test::must(ring.lend(2 * kPage, true)).has_value());
  CHECK_FALSE(test::is_ringing(test::space_bell(ring)));
  CHECK(test::put(ring, numbered(1, 100)) == PutOutcome::kDone);
}

TEST_CASE("memory that was consumed is kept warm in part, and given back") {
  Ring ring = ring_of(1 << 30);
  const int64_t warm = 132 << 20;
  for (int round = 0; round < 2; ++round) {
    for (uint32_t i = 0; i < 64; ++i) test::put(ring, numbered(i, 1 << 20));
    CHECK(memory_of(ring) > 60 << 20);
    for (uint32_t i = 0; i < 60; ++i) CHECK(test::take(ring) == numbered(i, 1 << 20));
    CHECK(memory_of(ring) < (4 << 20) + warm);
    CHECK(ring.has_spare_memory());
    int64_t before = memory_of(ring);
    for (; ring.has_spare_memory(); before = memory_of(ring)) {
      CHECK(test::must(ring.trim(16 << 20)));
      CHECK(memory_of(ring) < before);
      CHECK(memory_of(ring) >= before - (17 << 20));  // not so much at once that a loop would be held up
    }
    CHECK(memory_of(ring) < 8 << 20);
    test::must(sys::sleep_until(sys::deadline_after(2010)));  // the stream has ended
    for (uint32_t i = 60; i < 64; ++i) CHECK(test::take(ring) == numbered(i, 1 << 20));
    CHECK(memory_of(ring) < 2 << 20);
    CHECK_FALSE(ring.has_spare_memory());
  }
}

TEST_CASE("a ring that is never empty goes round and takes no more memory than it holds") {
  Ring ring = ring_of(8 << 20);
  test::put(ring, numbered(0, 100'000));
  for (uint32_t i = 1; i < 500; ++i) {
    test::put(ring, numbered(i, 100'000));
    CHECK(test::take(ring) == numbered(i - 1, 100'000));
    CHECK(memory_of(ring) < 2 << 20);
  }
}

TEST_CASE("random sizes in a small ring come out as from a model") {
  const uint32_t seed = std::random_device()();
  INFO("seed ", seed);
  std::mt19937 random(seed);
  for (const uint64_t capacity : {kSmall, 3 * kSmall, uint64_t{17 << 20}}) {
    Ring ring = ring_of(capacity);
    const uint64_t longest = capacity == kSmall ? kPage : capacity / 4;
    std::deque<Message> model;
    for (uint32_t step = 0; step < 20'000; ++step) {
      if (random() % 2 == 0) {
        const Message message = numbered(step, random() % (random() % 64 == 0 ? longest : 100 << random() % 5));
        const PutOutcome outcome = test::put(ring, message);
        REQUIRE((outcome == PutOutcome::kDone || (outcome == PutOutcome::kFull && !model.empty())));
        if (outcome == PutOutcome::kDone) model.push_back(message);
      } else {
        const auto taken = test::take(ring);
        REQUIRE(taken.has_value() == !model.empty());
        if (model.empty()) continue;
        REQUIRE(*taken == model.front());
        model.pop_front();
      }
      REQUIRE(ring.size() == model.size());
    }
  }
}

TEST_CASE("messages are written and read in place") {
  Ring ring = ring_of(32 << 20);
  for (const size_t size : {0, 1, 100'000, 1 << 20}) {
    const Message message = numbered(1, size);
    auto loan = test::must(ring.lend(size, false));
    REQUIRE(loan.has_value());
    CHECK(loan->bytes.size() == size);
    std::copy(message.begin(), message.end(), loan->bytes.begin());
    test::put(ring, {7});
    CHECK(test::must(ring.put_loan(*loan, size, false)) == PutOutcome::kDone);
    CHECK(test::must(ring.take_loan(false)).outcome == ipc::TakeOutcome::kTooLong);
    CHECK(test::take(ring) == Message{7});
    const auto taken = test::must(ring.take_loan(false));
    REQUIRE(taken.loan.has_value());
    CHECK(Message(taken.loan->bytes.begin(), taken.loan->bytes.end()) == message);
    CHECK(test::must(ring.take_loan(false)).outcome == ipc::TakeOutcome::kEmpty);
    CHECK(ring.give_back(*taken.loan).ok());
    CHECK(ring.size() == 0);
  }
  std::vector<ipc::Loan> unused;
  for (auto loan = test::must(ring.lend(9 << 20, false)); loan; loan = test::must(ring.lend(9 << 20, false)))
    unused.push_back(*loan);
  CHECK(unused.size() >= 2);
  for (const ipc::Loan& loan : unused) CHECK(ring.give_back(loan).ok());
  CHECK(test::must(ring.lend(9 << 20, false)).has_value());
}

TEST_CASE("no more than so many loans at a time") {
  Ring ring = ring_of(64 << 20);
  std::vector<ipc::Loan> loans;
  for (auto loan = test::must(ring.lend(1, false)); loan; loan = test::must(ring.lend(1, false)))
    loans.push_back(*loan);
  CHECK(loans.size() == ipc::kRingLoans);
  for (const ipc::Loan& loan : loans) CHECK(ring.give_back(loan).ok());
  CHECK(test::must(ring.lend(1, false)).has_value());
}

TEST_CASE("descriptors come out with their message, in another process of the ring too") {
  Ring ring = ring_of(kSmall);
  for (uint32_t round = 0; round < 3; ++round) {
    sys::PipeEnds pipe = test::must(sys::make_pipe());
    const int fds[] = {pipe.write_end.get(), pipe.write_end.get()};
    const Message message{1, 2, 3};
    const Ring::Bytes part = message;
    test::put(ring, {0});
    CHECK(test::must(ring.put({&part, 1}, false, fds)) == PutOutcome::kDone);
    pipe.write_end.reset();
    CHECK(test::take(ring) == Message{0});
    Message buffer(64);
    const ipc::Taken taken = test::take_whole(ring, buffer, false);
    CHECK(taken.size == 3);
    REQUIRE(taken.descriptors.size() == 2);
    CHECK(write(taken.descriptors[1].get(), "x", 1) == 1);
  }
}

TEST_CASE("a ring is full when its mailbox is") {
  Ring ring = ring_of(1 << 20);
  const int fds[] = {0};
  const Message message{1};
  const Ring::Bytes part = message;
  uint64_t put = 0;
  while (test::must(ring.put({&part, 1}, false, fds)) == PutOutcome::kDone) ++put;
  CHECK(put > 10);
  CHECK(ring.size() == put);
  CHECK(test::put(ring, {2}) == PutOutcome::kDone);
  Message buffer(8);
  for (; put > 0; --put) CHECK(test::take_whole(ring, buffer, false).descriptors.size() == 1);
  CHECK(test::take(ring) == Message{2});
}

TEST_CASE("another process opens the ring by its descriptors") {
  Ring ring = ring_of(1 << 20);
  Ring other = test::must(Ring::open(test::copies_of(ring.files())));
  test::put(ring, {1});
  CHECK(test::take(other) == Message{1});
  CHECK(other.size() == 0);
  ipc::RingFiles strange = test::copies_of(ring.files());
  strange.memory = test::must(sys::make_memory_file("no ring"));
  CHECK(test::failure(Ring::open(std::move(strange))) == "mmap: EPROTO");
}

TEST_CASE("what was put is dealt with when it has been counted, and the bell tells") {
  Ring ring = ring_of(kSmall);
  CHECK(test::must(ring.count_done()) == ipc::DoneOutcome::kTooMany);
  CHECK(test::must(ring.unfinished(true)) == 0);
  test::put(ring, {1});
  test::put(ring, {2});
  CHECK(test::must(ring.unfinished(true)) == 2);
  test::take(ring);
  CHECK(test::must(ring.count_done()) == ipc::DoneOutcome::kDone);
  CHECK_FALSE(test::is_ringing(test::done_bell(ring)));
  CHECK(test::must(ring.count_done()) == ipc::DoneOutcome::kDone);
  CHECK(test::is_ringing(test::done_bell(ring)));
  CHECK(test::must(ring.unfinished(true)) == 0);
  CHECK(test::must(ring.count_done()) == ipc::DoneOutcome::kTooMany);
}

TEST_CASE("who spins sees a message come, or nothing") {
  Ring ring = ring_of(kSmall);
  CHECK_FALSE(ring.spin_for_items(1000));
  test::put(ring, {1});
  CHECK(ring.spin_for_items(1000));
}

TEST_CASE("who finds an end locked for long sleeps until it is free") {
  Ring ring = ring_of(kSmall);
  const auto mapping = test::must(sys::Mapping::shared(ring.files().memory.get(), kPage));
  auto* header = reinterpret_cast<ipc::RingHeader*>(mapping.data());
  std::optional held = test::must(sys::RobustLock::lock(&header->tail.mutex));
  std::atomic<pid_t> tid{0};
  std::thread producer([&] {
    tid = gettid();
    test::put(ring, {1});
  });
  while (tid == 0 || test::must(sys::process_status(tid)).state != 'S') std::this_thread::yield();
  CHECK(ring.size() == 0);
  held.reset();
  producer.join();
  CHECK(ring.size() == 1);
}

TEST_CASE("threads that put and take wake each other; nothing is lost, doubled or out of order") {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kEach = 20'000;
  for (const uint64_t max_count : {0, 1, 16}) {
    Ring ring = ring_of(80 << 10, max_count);
    std::atomic<uint32_t> received{0};
    std::atomic<bool> in_order{true};
    std::vector<std::thread> threads;
    for (uint32_t producer = 0; producer < kThreads; ++producer) {
      threads.emplace_back([&, producer] {
        for (uint32_t number = 1; number <= kEach; ++number) {
          Message message(sizeof(uint32_t) * 2 + number % 60);
          const uint32_t head[] = {producer, number};
          std::memcpy(message.data(), head, sizeof(head));
          test::put_waiting(ring, message);
        }
      });
    }
    for (uint32_t consumer = 0; consumer < kThreads; ++consumer) {
      threads.emplace_back([&] {
        uint32_t last[kThreads] = {};
        while (const auto message = test::take_waiting(ring)) {
          uint32_t head[2];
          std::memcpy(head, message->data(), sizeof(head));
          const bool fits = message->size() == sizeof(head) + head[1] % 60 && head[1] > last[head[0]];
          if (!fits) in_order = false;
          last[head[0]] = head[1];
          if (++received == kThreads * kEach) static_cast<void>(ring.end());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(in_order);
    CHECK(received == kThreads * kEach);
    CHECK(ring.size() == 0);
  }
}
