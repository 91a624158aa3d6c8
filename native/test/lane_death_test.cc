// Processes that share a lane are killed: at every instruction of each operation, and at random moments under load.
// test/support/deaths.h: how many.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "ipc/lane.h"
#include "sys/sleep.h"
#include "test/support/child.h"
#include "test/support/deaths.h"
#include "test/support/lane_client.h"

using namespace mp;
using ipc::LanePut;
using test::LaneEnd;
using test::LanePair;
using test::Message;
using test::numbered;

namespace {

constexpr uint32_t kSenders = 3;  // at a time
constexpr uint32_t kReceivers = 3;
constexpr uint32_t kMaxLives = 400;
constexpr uint32_t kMaxNumber = 1 << 17;  // of one sender

// What happened, in memory that outlives the processes.
struct Journal {
  std::atomic<bool> is_over;
  std::atomic<uint32_t> acknowledged[kMaxLives];  // put() has returned for so many, by sender
  std::atomic<uint32_t> wrong;                    // torn, or out of order
  std::atomic<uint32_t> received;
  std::atomic<uint8_t> times[kMaxLives][kMaxNumber];
};

template <typename Trial>
void over_instructions(Trial trial) {
  test::over_every(97, trial);
}

const Message first = numbered(1, 100), second = numbered(2, 50), third = numbered(3, 200);

// What a lane has been through before.
enum class Past { kNone, kCold, kAwake };
constexpr Past kPasts[] = {Past::kNone, Past::kCold, Past::kAwake};

LanePair pair_with(Past past) {
  LanePair lane = test::open_lane_pair();
  // The next message begins anew, behind a skip.
  if (past == Past::kCold) CHECK(lane.left.put(Message(100'000)));
  if (past == Past::kCold) CHECK(lane.right.receive(0).has_value());
  // Nobody has to be woken; a token is there.
  if (past == Past::kAwake) CHECK(lane.left.put({9}));
  if (past == Past::kAwake) CHECK(lane.right.take_frame() == ipc::LaneReceived::Kind::kMessage);
  return lane;
}

// Another message comes through, and that is all there was.
void check_goes_on(LanePair& lane) {
  REQUIRE_FALSE(lane.right.look());
  REQUIRE_FALSE(lane.right.is_readable());
  REQUIRE(lane.left.put(third));
  REQUIRE(lane.right.is_readable());
  REQUIRE(lane.right.receive(0) == third);
  REQUIRE_FALSE(lane.right.look());
}

}  // namespace

TEST_CASE("killed when putting into a lane: the message is in whole or not at all, and the next wakes who sleeps") {
  for (const Past past : kPasts) {
    LanePair warm = pair_with(past);
    warm.left.put(first);
    over_instructions([&](auto kill) {
      LanePair lane = pair_with(past);
      if (past != Past::kAwake) REQUIRE_FALSE(lane.right.look());
      kill([&] { lane.left.put(first); });
      REQUIRE(lane.left.put(second));
      REQUIRE(lane.right.is_readable());
      auto received = lane.right.receive(0);
      if (received == first) received = lane.right.receive(0);
      REQUIRE(received == second);
      check_goes_on(lane);
    });
  }
}

TEST_CASE("killed when taking out of a lane: the message is still there or gone") {
  for (const Past past : kPasts) {
    LanePair warm = pair_with(past);
    warm.left.put(first);
    warm.right.take_frame();
    over_instructions([&](auto kill) {
      LanePair lane = pair_with(past);
      REQUIRE(lane.left.put(first));
      REQUIRE(lane.left.put(second));
      kill([&] { lane.right.take_frame(); });
      auto received = lane.right.receive(0);
      if (received == first) received = lane.right.receive(0);
      REQUIRE(received == second);
      check_goes_on(lane);
    });
  }
}

TEST_CASE("killed when receiving or looking: nothing is lost but what was just taken, and who sleeps is woken") {
  for (const bool looks : {true, false}) {
    for (const bool has_message : {true, false}) {
      const auto act = [&](LanePair& lane) {
        if (looks) lane.right.look();
        if (!looks) lane.right.receive(0);
      };
      for (const Past past : kPasts) {
        LanePair warm = pair_with(past);
        act(warm);
        over_instructions([&](auto kill) {
          LanePair lane = pair_with(past);
          if (has_message) REQUIRE(lane.left.put(first));
          kill([&] { act(lane); });
          // Whoever slept meanwhile sleeps on.
          REQUIRE(lane.left.put(second));
          REQUIRE(lane.right.is_readable());
          auto received = lane.right.receive(0);
          if (has_message && received == first) received = lane.right.receive(0);
          REQUIRE(received == second);
          check_goes_on(lane);
        });
      }
    }
  }
}

TEST_CASE("killed when sending through the socket: the order of what others send stays") {
  LanePair warm = test::open_lane_pair();
  warm.left.send_on_socket(first);
  over_instructions([&](auto kill) {
    LanePair lane = test::open_lane_pair();
    kill([&] { lane.left.send_on_socket(first); });
    for (int round = 0; round < 2; ++round) {
      lane.left.send_on_socket(second);
      REQUIRE(lane.left.put(third));
      auto received = lane.right.receive(0);
      if (round == 0 && received == first) received = lane.right.receive(0);
      REQUIRE(received == second);
      REQUIRE(lane.right.receive(0) == third);
    }
    check_goes_on(lane);
  });
}

TEST_CASE("killed when receiving an empty message from the socket: what comes after it is there for others") {
  const auto mixed = [] {
    LanePair lane = test::open_lane_pair();
    lane.left.send_on_socket({});
    REQUIRE(lane.left.put(second));
    return lane;
  };
  LanePair warm = mixed();
  warm.right.receive(0);
  over_instructions([&](auto kill) {
    LanePair lane = mixed();
    kill([&] { lane.right.receive(0); });
    auto received = lane.right.receive(0);
    if (received == Message{}) received = lane.right.receive(0);
    REQUIRE(received == second);
  });
}

TEST_CASE("killed when receiving what comes at the end of the stream: it comes, and the end") {
  const auto ending = [] {
    LanePair lane = test::open_lane_pair();
    test::announce_on_socket(lane);
    CHECK(lane.left.put(first));
    CHECK(lane.left.put(second));
    lane.left.close();
    return lane;
  };
  LanePair warm = ending();
  warm.right.receive_polling();
  over_instructions([&](auto kill) {
    LanePair lane = ending();
    kill([&] { lane.right.receive_polling(); });
    auto received = lane.right.receive_polling();
    if (received == first) received = lane.right.receive_polling();
    REQUIRE(received == second);
    REQUIRE(lane.right.receive_polling() == std::nullopt);
    REQUIRE(lane.right.ended);
  });
}

TEST_CASE("killed when asking for room or making some: who waits for it is woken") {
  const Message message = numbered(4, 1500);
  const auto ask = [&](LanePair& lane) { return lane.left.outcome_of_put(message, true); };
  const auto full = [&] {
    LanePair lane = test::open_lane_pair();
    while (lane.left.put(message)) {
    }
    CHECK(ask(lane) == LanePut::kFull);
    lane.right.room.resize(message.size() + ipc::kFrameHeader);
    return lane;
  };
  // The next one wakes.
  const auto half_taken = [&] {
    LanePair lane = full();
    const ipc::LaneHeader* header = lane.file->header(0);
    while (header->room_at > header->head + message.size()) CHECK(lane.right.receive(0) == message);
    CHECK_FALSE(test::is_ringing(lane.left.bell.get()));
    return lane;
  };
  LanePair warm = half_taken();
  warm.right.take_frame();
  over_instructions([&](auto kill) {
    LanePair lane = full();
    kill([&] { ask(lane); });
    while (lane.right.receive(0)) {
    }
    REQUIRE(test::is_ringing(lane.left.bell.get()));
    REQUIRE(lane.left.put(message));
  });
  over_instructions([&](auto kill) {
    LanePair lane = half_taken();
    kill([&] { lane.right.take_frame(); });
    REQUIRE(lane.right.receive(0) == message);
    REQUIRE(test::is_ringing(lane.left.bell.get()));
    REQUIRE(ask(lane) == LanePut::kDone);
  });
}

namespace {

struct Head {
  uint32_t sender;
  uint32_t number;
};

Message message_of(Head head) {
  const uint32_t longest = head.number % 64 == 0 ? 200'000 : head.number % 16 == 0 ? 20'000 : 200;
  Message message = numbered(head.number, sizeof(Head) + head.number * 7919 % longest);
  std::memcpy(message.data(), &head, sizeof(head));
  return message;
}

int send_on(LanePair& lane, Journal& journal, uint32_t sender) {
  lane.right.go();
  for (uint32_t number = 1; number < kMaxNumber && !journal.is_over; ++number) {
    lane.left.send(message_of({sender, number}));
    journal.acknowledged[sender] = number;
  }
  return 0;
}

int receive_on(LanePair& lane, Journal& journal) {
  lane.left.go();
  std::vector<uint32_t> last(kMaxLives);
  while (const auto message = lane.right.receive(sys::kForever)) {
    Head head{};
    if (message->size() >= sizeof(head)) std::memcpy(&head, message->data(), sizeof(head));
    if (head.sender >= kMaxLives || head.number >= kMaxNumber || *message != message_of(head)) {
      journal.wrong += 1;
      continue;
    }
    if (head.number <= last[head.sender]) journal.wrong += 1;
    last[head.sender] = head.number;
    journal.times[head.sender][head.number] += 1;
    journal.received += 1;
  }
  return 0;
}

}  // namespace

TEST_CASE("whoever is killed with a lane: nothing that was put is lost but what a dead one had just taken") {
  const uint32_t kills = test::wanted_kills();
  const uint32_t seed = std::random_device()();
  INFO("seed ", seed);
  std::mt19937 random(seed);
  for (uint32_t done = 0; done < kills;) {
    LanePair lane = test::open_lane_pair();
    const auto journal = test::make_shared_with_children<Journal>();
    uint32_t lives = 0;
    uint32_t dead_receivers = 0;
    const auto new_sender = [&] {
      return std::make_unique<test::Child>([&, life = lives++] { return send_on(lane, *journal, life); });
    };
    const auto new_receiver = [&] { return std::make_unique<test::Child>([&] { return receive_on(lane, *journal); }); };
    std::vector<std::unique_ptr<test::Child>> senders, receivers;
    for (uint32_t i = 0; i < kSenders; ++i) senders.push_back(new_sender());
    for (uint32_t i = 0; i < kReceivers; ++i) receivers.push_back(new_receiver());
    for (int round = 0; round < 50 && done < kills; ++round, ++done) {
      static_cast<void>(sys::sleep_until(sys::deadline_after(random() % 2000 / 1000.0)));
      auto& victims = random() % 2 == 0 ? senders : receivers;
      auto& victim = victims[random() % victims.size()];
      victim.reset();
      if (&victims == &receivers) dead_receivers += 1;
      victim = &victims == &senders ? new_sender() : new_receiver();
    }
    // Progress: nobody sleeps for ever.
    const uint32_t before = journal->received;
    while (journal->received < before + 1000) static_cast<void>(sys::sleep_until(sys::deadline_after(1)));
    journal->is_over = true;
    for (auto& sender : senders) CHECK(sender->join() == 0);
    lane.left.go();
    for (auto& receiver : receivers) CHECK(receiver->join() == 0);

    CHECK(journal->wrong == 0);
    uint32_t doubled = 0, missing = 0;
    for (uint32_t life = 0; life < lives; ++life) {
      for (uint32_t number = 1; number < kMaxNumber; ++number) {
        const uint8_t times = journal->times[life][number];
        if (times > 1) doubled += 1;
        if (times == 0 && number <= journal->acknowledged[life]) missing += 1;
      }
    }
    CHECK(doubled == 0);
    CHECK(missing <= dead_receivers);
  }
}
