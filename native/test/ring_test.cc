#include "ipc/ring.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

#include "test/support/outcome.h"
#include "test/support/ring_client.h"

using namespace mp;
using ipc::PutOutcome;
using ipc::Ring;
using test::Message;
using test::numbered;

namespace {

constexpr uint64_t kPage = 4096;

Ring ring_of(uint64_t capacity, uint64_t max_count = 0) { return test::must(Ring::create(capacity, max_count)); }

int64_t memory_of(const Ring& ring) {
  struct stat status;
  REQUIRE(fstat(ring.memory_file(), &status) == 0);
  return status.st_blocks * 512;
}

}  // namespace

TEST_CASE("messages of any size come out whole and in order") {
  Ring ring = ring_of(16 << 20);
  const size_t sizes[] = {0, 1, 7, 8, 9, 63, 64, 65, 4095, 4096, 100'000, 3'000'000};
  for (const size_t size : sizes) REQUIRE(test::put(ring, numbered(1, size)) == PutOutcome::kDone);
  CHECK(test::must(ring.size()) == std::size(sizes));
  for (const size_t size : sizes) CHECK(test::take(ring) == numbered(1, size));
  CHECK(test::take(ring) == std::nullopt);
  CHECK(test::must(ring.size()) == 0);
}

TEST_CASE("a message is joined from its parts") {
  Ring ring = ring_of(kPage);
  const Message first{1, 2, 3}, none{}, second{4, 5};
  const Ring::Bytes parts[] = {first, none, second};
  CHECK(test::must(ring.put(parts, false)) == PutOutcome::kDone);
  CHECK(test::take(ring) == Message{1, 2, 3, 4, 5});
}

TEST_CASE("a bounded ring is full at its count") {
  Ring ring = ring_of(kPage, 2);
  CHECK(test::put(ring, {1}) == PutOutcome::kDone);
  CHECK(test::put(ring, {2}) == PutOutcome::kDone);
  CHECK(test::put(ring, {3}) == PutOutcome::kFull);
  CHECK(test::take(ring) == Message{1});
  CHECK(test::put(ring, {3}) == PutOutcome::kDone);
  CHECK(test::take(ring) == Message{2});
  CHECK(test::take(ring) == Message{3});
}

TEST_CASE("a message that fits the whole ring goes in, a longer one never") {
  Ring ring = ring_of(kPage);
  const Message longest = numbered(1, kPage - 8);
  CHECK(test::put(ring, longest) == PutOutcome::kDone);
  CHECK(test::put(ring, {}) == PutOutcome::kFull);
  CHECK(test::take(ring) == longest);
  const Message longer = numbered(1, kPage - 7);
  const Ring::Bytes part = longer;
  CHECK(test::failure(ring.put({&part, 1}, false)) == "put: EMSGSIZE");
}

TEST_CASE("an ended ring takes nothing and gives what it has") {
  Ring ring = ring_of(kPage);
  test::put(ring, {1});
  REQUIRE(ring.end().ok());
  REQUIRE(ring.end().ok());
  CHECK(test::put(ring, {2}) == PutOutcome::kEnded);
  CHECK(test::take_waiting(ring) == Message{1});
  CHECK(test::take_waiting(ring) == std::nullopt);
  CHECK(test::is_ringing(ring.items_bell()));
  CHECK(test::is_ringing(ring.space_bell()));
}

TEST_CASE("the bell of items rings for who asked, until somebody finds nothing again") {
  Ring ring = ring_of(kPage);
  test::put(ring, {1});
  test::take(ring);
  CHECK_FALSE(test::is_ringing(ring.items_bell()));
  CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty);
  CHECK_FALSE(test::is_ringing(ring.items_bell()));
  test::put(ring, {1});
  test::put(ring, {2});
  CHECK(test::is_ringing(ring.items_bell()));
  test::take(ring);
  test::take(ring);
  CHECK(test::is_ringing(ring.items_bell()));
  CHECK(test::must(ring.take({}, true)).outcome == ipc::TakeOutcome::kEmpty);
  CHECK_FALSE(test::is_ringing(ring.items_bell()));
}

TEST_CASE("the bell of space rings for who asked") {
  Ring ring = ring_of(kPage, 1);
  test::put(ring, {1});
  CHECK(test::put(ring, {2}, true) == PutOutcome::kFull);
  CHECK_FALSE(test::is_ringing(ring.space_bell()));
  test::take(ring);
  CHECK(test::is_ringing(ring.space_bell()));
  test::put(ring, {1});
  CHECK(test::put(ring, {2}, true) == PutOutcome::kFull);
  CHECK_FALSE(test::is_ringing(ring.space_bell()));
}

TEST_CASE("memory that was consumed is given back") {
  Ring ring = ring_of(1 << 30);
  const int64_t at_rest = 2 << 20;
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 64; ++i) test::put(ring, numbered(i, 1 << 20));
    CHECK(memory_of(ring) > 60 << 20);
    for (uint32_t i = 0; i < 60; ++i) CHECK(test::take(ring) == numbered(i, 1 << 20));
    CHECK(memory_of(ring) < (4 << 20) + at_rest);
    for (uint32_t i = 60; i < 64; ++i) CHECK(test::take(ring) == numbered(i, 1 << 20));
    CHECK(memory_of(ring) < at_rest);
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
  for (const uint64_t capacity : {kPage, 3 * kPage, uint64_t{128 << 10}}) {
    Ring ring = ring_of(capacity);
    std::deque<Message> model;
    uint64_t used = 0;
    for (uint32_t step = 0; step < 20'000; ++step) {
      if (random() % 2 == 0) {
        const Message message = numbered(step, random() % (random() % 8 == 0 ? capacity : 100));
        const uint64_t record = 8 + (message.size() + 7) / 8 * 8;
        const bool fits = used + record <= capacity;
        if (record > capacity) continue;
        REQUIRE(test::put(ring, message) == (fits ? PutOutcome::kDone : PutOutcome::kFull));
        if (!fits) continue;
        model.push_back(message);
        used += record;
      } else {
        const auto taken = test::take(ring);
        REQUIRE(taken.has_value() == !model.empty());
        if (model.empty()) continue;
        REQUIRE(*taken == model.front());
        used -= 8 + (taken->size() + 7) / 8 * 8;
        model.pop_front();
      }
      REQUIRE(test::must(ring.size()) == model.size());
    }
  }
}

TEST_CASE("threads that put and take wake each other; nothing is lost, doubled or out of order") {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kEach = 20'000;
  for (const uint64_t max_count : {0, 1, 16}) {
    Ring ring = ring_of(64 << 10, max_count);
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
    CHECK(test::must(ring.size()) == 0);
  }
}
