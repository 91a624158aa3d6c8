#include "ipc/lane.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "test/support/child.h"
#include "test/support/lane_client.h"

using namespace mp;
using ipc::LanePut;
using test::LaneEnd;
using test::LanePair;
using test::Message;
using test::numbered;

namespace {

constexpr uint64_t kHalf = ipc::kLaneCapacity / 2;
constexpr Message::value_type kToken = ipc::kLaneToken;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint32_t kFewer = 10;
#else
constexpr uint32_t kFewer = 1;
#endif

int64_t memory_of(const LanePair& lane) {
  struct stat status;
  REQUIRE(fstat(lane.file->fd(), &status) == 0);
  return status.st_blocks * 512 - static_cast<int64_t>(2 * ipc::kLanePage);
}

size_t any_size(std::mt19937& random, size_t longest) {
  constexpr size_t kEdges[] = {0, 1, 7, 8, 9, 63, 64, 65};
  const uint32_t choice = random();
  if (choice % 4 == 0) return kEdges[random() % std::size(kEdges)];
  if (choice % 400 == 1) return random() % (longest + 1);
  return random() % std::min<size_t>(longest + 1, choice % 16 == 2 ? 100'000 : 500);
}

// Through the memory.
bool passes(LaneEnd& from, LaneEnd& to, const Message& message) {
  return from.put(message) && to.receive(0) == message;
}

}  // namespace

TEST_CASE("messages of any size, in the memory and on the socket, come in the order in which they were sent") {
  const uint32_t seed = std::random_device()();
  INFO("seed ", seed);
  for (const bool blocks : {false, true}) {
    constexpr uint32_t kMessages = 6000;
    LanePair lane = test::lane_pair();
    std::mt19937 random(seed);
    test::Child sender([&, random]() mutable {
      lane.right.go();
      for (uint32_t number = 0; number < kMessages / kFewer; ++number) {
        const Message message = numbered(number, any_size(random, kHalf + 100'000));
        if (random() % 8 == 0) {
          lane.left.send_on_socket(message);
        } else {
          lane.left.send(message);
        }
      }
      return 0;
    });
    lane.left.go();
    for (uint32_t number = 0; number < kMessages / kFewer; ++number) {
      const Message message = numbered(number, any_size(random, kHalf + 100'000));
      static_cast<void>(random());
      REQUIRE((blocks ? lane.right.receive(sys::kForever) : lane.right.receive_polling()) == message);
    }
    CHECK(lane.right.receive(sys::kForever) == std::nullopt);
    CHECK(lane.right.ended);
    CHECK(sender.join() == 0);
  }
}

TEST_CASE("any order of steps gives what a model gives; who is told that there is nothing is woken") {
  const uint32_t seed = std::random_device()();
  INFO("seed ", seed);
  std::mt19937 random(seed);
  LanePair lane = test::open_lane_pair();
  std::deque<Message> model;
  bool sleeps = true;
  for (uint32_t step = 0; step < 100'000 / kFewer; ++step) {
    const uint32_t choice = random() % 10;
    if (choice < 5 && model.size() < 40) {
      // Some are all tokens.
      const size_t size = any_size(random, 2000);
      const Message message = random() % 4 == 0 ? Message(size, kToken) : numbered(step, size);
      if (choice < 2) lane.left.send_on_socket(message);
      if (choice >= 2) lane.left.send(message);
      model.push_back(message);
      if (sleeps) REQUIRE(lane.right.is_readable());
    } else if (choice < 7) {
      sleeps = !lane.right.look();
      REQUIRE(sleeps == model.empty());
      if (sleeps) REQUIRE_FALSE(lane.right.is_readable());
    } else {
      const auto message = lane.right.receive(0);
      sleeps = !message;
      if (sleeps) REQUIRE((model.empty() || lane.right.is_readable()));
      if (message) REQUIRE(*message == model.front());
      if (message) model.pop_front();
    }
  }
}

TEST_CASE("the memory is used when a receiver has looked there, until somebody wants everything on the socket") {
  for (const bool by_sender : {true, false}) {
    LanePair lane = test::lane_pair();
    CHECK(lane.left.outcome_of_put({1}, true) == LanePut::kElsewhere);
    CHECK_FALSE(lane.right.look());
    CHECK(lane.left.outcome_of_put({1}, true) == LanePut::kElsewhere);
    CHECK(lane.right.receive(0) == std::nullopt);
    CHECK(lane.left.put({1}));
    CHECK_FALSE(lane.right.put({1}));  // the other direction has a receiver of its own
    if (by_sender) lane.left.sender.make_plain();
    if (!by_sender) lane.right.receiver.make_plain();
    CHECK(lane.left.outcome_of_put({2}, true) == LanePut::kElsewhere);
    lane.left.send({2});
    CHECK(lane.right.receive(0) == Message{1});
    CHECK(lane.right.receive(0) == Message{2});
    CHECK_FALSE(lane.left.put({3}));
  }
}

TEST_CASE("a message is joined from its parts; one of half a lane always fits an empty one, a longer one never") {
  LanePair lane = test::open_lane_pair();
  const Message first{1, 2, 3}, none{}, second{4, 5};
  const ipc::LaneSender::Bytes parts[] = {first, none, second};
  CHECK(test::must(lane.left.sender.put(parts, lane.left.descriptors(), false)) == ipc::LanePut::kDone);
  CHECK(lane.right.receive(0) == Message{1, 2, 3, 4, 5});
  const Message longest = numbered(1, kHalf - sizeof(ipc::LaneRecord));
  for (const size_t before : {0, 8, 70'000, 1 << 20, 1'500'000}) {
    REQUIRE(passes(lane.left, lane.right, numbered(2, before)));
    REQUIRE(passes(lane.left, lane.right, longest));
    REQUIRE(lane.left.outcome_of_put(numbered(1, longest.size() + 1)) == LanePut::kElsewhere);
  }
}

TEST_CASE("a lane that is full takes nothing, and goes on when it is emptied") {
  for (const uint32_t size : {1000u, 70'000u, 1'000'000u}) {
    LanePair lane = test::open_lane_pair();
    for (int round = 0; round < 3; ++round) {
      uint32_t put = 0;
      while (lane.left.put(numbered(put, size))) ++put;
      CHECK(put * size >= (size <= 65'536 ? 900'000 : 1'900'000));
      REQUIRE(lane.left.outcome_of_put(numbered(put, size)) == LanePut::kFull);
      for (uint32_t i = 0; i < put; ++i) REQUIRE(lane.right.receive(0) == numbered(i, size));
      CHECK(lane.right.receive(0) == std::nullopt);
    }
  }
}

TEST_CASE("a sender that waits for room is woken when half of what was there has been taken") {
  LanePair lane = test::open_lane_pair();
  for (int round = 0; round < 3; ++round) {
    uint32_t put = 0;
    while (lane.left.outcome_of_put(numbered(put, 10'000), put % 2 == 0) == LanePut::kDone) ++put;
    CHECK(lane.left.outcome_of_put(numbered(put, 10'000), true) == LanePut::kFull);
    for (uint32_t i = 0; i < put; ++i) {
      const bool is_woken = test::is_ringing(lane.left.bell.get());
      if (i < put / 2) REQUIRE_FALSE(is_woken);
      if (i > put / 2) REQUIRE(is_woken);
      REQUIRE(lane.right.receive(0) == numbered(i, 10'000));
    }
    CHECK(lane.left.put({1}));
    CHECK(lane.right.receive(0) == Message{1});
  }
}

TEST_CASE("what is emptied is used again: little traffic takes little memory, short messages a mebibyte") {
  LanePair lane = test::open_lane_pair();
  for (uint32_t i = 0; i < 5000; ++i) REQUIRE(passes(lane.left, lane.right, numbered(i, 1000)));
  CHECK(memory_of(lane) <= 256 << 10);
  REQUIRE(lane.left.put(numbered(0, 60'000)));
  for (uint32_t i = 1; i < 500; ++i) {  // never empty: goes round
    REQUIRE(lane.left.put(numbered(i, 60'000)));
    REQUIRE(lane.right.receive(0) == numbered(i - 1, 60'000));
  }
  CHECK(memory_of(lane) <= 1 << 20);
}

TEST_CASE("where the system has no memory left nothing is touched, and messages go elsewhere") {
  LanePair lane = test::open_lane_pair();
  const std::string path = "/proc/self/fd/" + std::to_string(lane.file->fd());
  const sys::UniqueFd read_only(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(read_only.valid());
  const auto quarter = numbered(1, (64 << 10) - sizeof(ipc::LaneRecord));
  for (int i = 0; i < 4; ++i) REQUIRE(lane.left.put(quarter));
  CHECK(memory_of(lane) == 256 << 10);
  // Nothing can be reserved by this descriptor.
  test::must(sys::duplicate_onto(read_only.get(), lane.file->fd(), true));
  CHECK(lane.left.outcome_of_put({1}, true) == LanePut::kElsewhere);
  for (int i = 0; i < 4; ++i) REQUIRE(lane.right.receive(0) == quarter);
  lane.left.send({2});
  CHECK(lane.right.receive(0) == Message{2});
  CHECK_FALSE(lane.right.put({3}));
  CHECK(memory_of(lane) == 256 << 10);
}

TEST_CASE("another process opens the lane by its descriptor; other files are refused") {
  LanePair lane = test::open_lane_pair();
  const int fd = lane.file->fd();
  auto same = test::must(ipc::LaneFile::open(test::must(sys::duplicate(fd))));
  CHECK(same->header(0) != lane.file->header(0));
  LaneEnd other(same, 1, lane.right);
  CHECK(passes(lane.left, other, numbered(1, 300'000)));
  CHECK(passes(other, lane.left, numbered(2, 10)));

  auto strange = test::must(sys::make_memory_file("no lane"));
  CHECK(test::failure(ipc::LaneFile::open(test::must(sys::duplicate(strange.get())))) == "mmap: EPROTO");
  test::must(sys::set_file_size(strange.get(), test::must(sys::file_size(fd))));
  CHECK(test::failure(ipc::LaneFile::open(std::move(strange))) == "mmap: EPROTO");
  lane.file->header(0)->version += 1;
  CHECK(test::failure(ipc::LaneFile::open(test::must(sys::duplicate(fd)))) == "mmap: EPROTO");
}

TEST_CASE("who spins sees a message come, or nothing") {
  LanePair lane = test::open_lane_pair();
  CHECK_FALSE(lane.right.receiver.spin(1000));
  REQUIRE(lane.left.put({1}));
  CHECK(lane.right.receiver.spin(1000));
}

TEST_CASE("processes that block wake each other, message by message") {
  constexpr uint32_t kRounds = 50'000 / kFewer;
  const auto message = [](uint32_t number) { return numbered(number, sizeof(number) + number % 50); };
  for (const bool spins : {false, true}) {  // then the next message comes while the other end is on its way to sleep
    LanePair lane = test::open_lane_pair();
    test::Child echo([&] {
      lane.left.go();
      while (const auto received = lane.right.receive(sys::kForever)) lane.right.send(*received);
      return lane.right.ended ? 0 : 1;
    });
    lane.right.go();
    for (uint32_t number = 0; number < kRounds; ++number) {
      lane.left.send(message(number));
      while (spins && !lane.left.receiver.spin(1000)) {
      }
      REQUIRE(lane.left.receive(sys::kForever) == message(number));
    }
    lane.left.close();
    CHECK(echo.join() == 0);
  }
}

TEST_CASE("threads and one receiver: what each sends, in the memory and on the socket, comes once and in order") {
  constexpr uint32_t kThreads = 3;
  constexpr uint32_t kEach = 20'000 / kFewer;
  LanePair lane = test::open_lane_pair();
  const auto message = [](uint32_t sender, uint32_t number) {
    Message bytes = numbered(number, 2 * sizeof(uint32_t) + number % 1000);
    const uint32_t head[] = {sender, number};
    std::memcpy(bytes.data(), head, sizeof(head));
    return bytes;
  };
  std::vector<std::thread> threads;
  for (uint32_t sender = 0; sender < kThreads; ++sender) {
    threads.emplace_back([&, sender] {
      LaneEnd end(lane.file, 0, lane.left);
      for (uint32_t number = 1; number <= kEach; ++number) {
        if (number % 16 != 0) {
          end.send(message(sender, number));
        } else {
          end.send_on_socket(message(sender, number));
        }
      }
    });
  }
  uint32_t last[kThreads] = {};
  bool in_order = true;
  for (uint32_t i = 0; i < kThreads * kEach; ++i) {
    const auto received = lane.right.receive(sys::kForever);
    uint32_t head[2] = {};
    if (received && received->size() >= sizeof(head)) std::memcpy(head, received->data(), sizeof(head));
    REQUIRE(head[0] < kThreads);
    if (head[1] != ++last[head[0]] || *received != message(head[0], head[1])) in_order = false;
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(in_order);
  CHECK(lane.right.receive(0) == std::nullopt);
}

TEST_CASE("threads that send and threads that receive: each message comes once, those of a sender in order") {
  constexpr uint32_t kThreads = 3;
  constexpr uint32_t kEach = 60'000 / kFewer;
  LanePair lane = test::open_lane_pair();
  std::vector<std::atomic<uint32_t>> times(kThreads * kEach);
  std::atomic<bool> in_order{true};
  std::vector<std::thread> senders, receivers;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    senders.emplace_back([&, thread] {
      LaneEnd end(lane.file, 0, lane.left);
      for (uint32_t number = thread * kEach; number < (thread + 1) * kEach; ++number) {
        Message message = numbered(number, sizeof(number) + number % 3000);
        std::memcpy(message.data(), &number, sizeof(number));
        end.send(message);
      }
    });
    receivers.emplace_back([&] {
      LaneEnd end(lane.file, 1, lane.right);
      int64_t last[kThreads] = {-1, -1, -1};
      while (const auto message = end.receive(sys::kForever)) {
        uint32_t number = 0;
        std::memcpy(&number, message->data(), sizeof(number));
        if (message->size() != sizeof(number) + number % 3000 || last[number / kEach] >= number) in_order = false;
        last[number / kEach] = number;
        times[number] += 1;
      }
    });
  }
  for (std::thread& thread : senders) thread.join();
  lane.left.close();
  for (std::thread& thread : receivers) thread.join();
  CHECK(in_order);
  CHECK(std::all_of(times.begin(), times.end(), [](const auto& count) { return count == 1; }));
}
