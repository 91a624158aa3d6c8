// What a Pipe with memory owes to its socket: the end of the stream, descriptors, other writers, and the tokens that
// wake.
#include <doctest/doctest.h>
#include <unistd.h>

#include <optional>
#include <thread>
#include <vector>

#include "ipc/lane.h"
#include "sys/clock.h"
#include "sys/pipe.h"
#include "sys/scm_rights.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/lane_client.h"

using namespace mp;
using Kind = ipc::LaneReceived::Kind;
using test::LanePair;
using test::Message;
using test::numbered;

namespace {

constexpr Message::value_type kToken = ipc::kLaneToken;

// The receiver has slept and been woken, with what it was woken for gone: a token is on the socket.
LanePair pair_with_token() {
  LanePair lane = test::open_lane_pair();
  CHECK(lane.left.put({9}));
  CHECK(lane.right.take_frame() == Kind::kMessage);
  CHECK(lane.right.is_readable());
  return lane;
}

LanePair pair_with_or_without_token(bool with) { return with ? pair_with_token() : test::open_lane_pair(); }

// The end of the stream, at once and again.
bool has_ended(test::LaneEnd& end) {
  for (int i = 0; i < 2; ++i) {
    if (!end.look() || end.receive(0) != std::nullopt || !end.ended) return false;
    end.ended = false;
  }
  return true;
}

}  // namespace

TEST_CASE("a look takes nothing but tokens, and says whether there is something") {
  LanePair lane = pair_with_token();
  CHECK_FALSE(lane.right.look());
  CHECK_FALSE(lane.right.is_readable());
  CHECK(lane.left.put({1}));
  CHECK(lane.right.look());
  CHECK(lane.right.look());
  CHECK(lane.right.receive(0) == Message{1});
  CHECK_FALSE(lane.right.look());
  lane.left.send_on_socket({2});
  CHECK(lane.left.put({3}));
  CHECK(lane.right.look());
  CHECK(lane.right.look());
  CHECK(lane.right.receive(0) == Message{2});
  CHECK(lane.right.look());
  CHECK(lane.right.receive(0) == Message{3});
  CHECK_FALSE(lane.right.look());
  CHECK_FALSE(lane.right.is_readable());
}

TEST_CASE("what comes after a message on the socket is nothing before that has come") {
  LanePair lane = test::open_lane_pair();
  lane.left.send_on_socket({1});
  CHECK(lane.left.put({2}));
  CHECK(lane.left.put({3}));
  CHECK(lane.right.take_frame() == Kind::kNothing);
  CHECK(lane.right.look());
  CHECK(lane.right.take_frame() == Kind::kNothing);
  for (uint8_t i = 1; i <= 3; ++i) CHECK(lane.right.receive(0) == Message{i});
  CHECK_FALSE(lane.right.look());
}

TEST_CASE("a receiver that has looked wakes for one message, and for the next after it has looked again") {
  LanePair lane = test::open_lane_pair();
  for (uint8_t i = 0; i < 50; ++i) {
    CHECK(lane.left.put({i}));
    CHECK(lane.left.put({i}));
    CHECK(lane.right.is_readable());
    for (int take = 0; take < 2; ++take) CHECK(lane.right.receive(0) == Message{i});
    if (i % 2 == 0) CHECK_FALSE(lane.right.look());
    if (i % 2 == 1) CHECK(lane.right.receive(0) == std::nullopt);
    CHECK_FALSE(lane.right.is_readable());
  }
}

TEST_CASE("messages that are all tokens come as they are, in the memory and on the socket") {
  for (const bool with_token : {false, true}) {
    for (const size_t size : {1, 3, 4, 5, 5000}) {
      LanePair lane = pair_with_or_without_token(with_token);
      const Message message(size, kToken);
      lane.left.send_on_socket(message);
      CHECK(lane.left.put(message));
      lane.left.send_on_socket(message);
      for (int i = 0; i < 3; ++i) CHECK(lane.right.receive(0) == message);
      CHECK_FALSE(lane.right.look());
    }
  }
}

TEST_CASE("a writer that knows of no memory is understood, however its bytes come") {
  for (const bool with_token : {false, true}) {
    for (const size_t size : {0, 1, 5000}) {
      for (size_t first = 1; first <= ipc::kFrameHeader; ++first) {
        LanePair lane = pair_with_or_without_token(with_token);
        const Message message = numbered(7, size);
        const Message frame = test::framed(message);
        lane.left.write(std::span(frame).first(first));
        CHECK(lane.right.look());
        test::Child writer([&] {
          lane.left.write(std::span(frame).subspan(first));
          return 0;
        });
        CHECK(lane.right.receive_polling() == message);
        CHECK(writer.join() == 0);
        CHECK_FALSE(lane.right.look());
        CHECK(lane.left.put({1}));
        CHECK(lane.right.receive(0) == Message{1});
      }
    }
  }
}

TEST_CASE("the part of a header that is there is given out without what woke the receiver") {
  for (const bool with_token : {false, true}) {
    for (size_t part = 1; part < ipc::kFrameHeader; ++part) {
      LanePair lane = pair_with_or_without_token(with_token);
      const Message frame = test::framed(numbered(1, 300));
      lane.left.write(std::span(frame).first(part));
      const auto received =
          test::must(lane.right.receiver.receive(lane.right.descriptors(), lane.right.room, nullptr, 0));
      CHECK(received.kind == Kind::kOnSocket);
      REQUIRE(received.size == part);
      CHECK(std::equal(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(part), lane.right.room.begin()));
    }
  }
}

TEST_CASE("descriptors come with their message") {
  for (const bool with_token : {false, true}) {
    LanePair lane = pair_with_or_without_token(with_token);
    sys::PipeEnds pipe = test::must(sys::make_pipe());
    const int fds[] = {pipe.write_end.get()};
    const Message frame = test::framed({1, 2, 3});
    CHECK(test::must(lane.left.sender.begin_frame(frame, {}, false, fds, lane.left.socket.get())) == frame.size());
    CHECK(lane.left.put({4}));
    CHECK(lane.right.receive(0) == Message{1, 2, 3});
    REQUIRE(lane.right.fds.size() == 1);
    CHECK(write(lane.right.fds[0].get(), "x", 1) == 1);
    CHECK(lane.right.receive(0) == Message{4});
    CHECK(lane.right.fds.size() == 1);
  }
}

TEST_CASE("who puts is told at once that the other end was closed, and not while somebody has it open") {
  for (const bool sleeps : {true, false}) {
    for (const bool is_open_elsewhere : {true, false}) {
      LanePair lane = test::open_lane_pair();
      sys::UniqueFd copy;
      if (is_open_elsewhere) copy = test::must(sys::duplicate(lane.right.socket.get()));
      for (uint8_t i = 1; i <= 2; ++i) CHECK(lane.left.put({i}));  // has looked who is there just now
      for (uint8_t i = 1; i <= 2 && sleeps; ++i) CHECK(lane.right.receive(0) == Message{i});
      if (sleeps) CHECK_FALSE(lane.right.look());
      lane.right.close();
      if (is_open_elsewhere) CHECK(lane.left.put({3}));
      copy.reset();
      if (is_open_elsewhere) lane.right.receiver.leave();
      for (int i = 0; i < 3; ++i) CHECK(test::failure(lane.left.try_put({3})) == "send: EPIPE");
    }
  }
}

TEST_CASE("who waits for room is told that the other end was closed, also with something in its bell") {
  for (const bool was_woken : {true, false}) {
    LanePair lane = test::open_lane_pair();
    if (was_woken) {
      while (lane.right.outcome_of_put({1}, true) == ipc::LanePut::kDone) {
      }
      while (!test::is_ringing(lane.right.bell.get())) lane.left.receive(0);
    }
    while (lane.left.put(numbered(1, 60'000))) {
    }
    CHECK(lane.left.outcome_of_put(numbered(1, 60'000), true) == ipc::LanePut::kFull);
    CHECK_FALSE(test::is_ringing(lane.left.bell.get()));
    lane.right.close();
    CHECK(test::is_ringing(lane.left.bell.get()));
    CHECK(test::failure(lane.left.try_put(numbered(1, 60'000), true)) == "send: EPIPE");
  }
}

TEST_CASE("who puts is told that the receiving process was killed") {
  for (const uint8_t taken : {1, 2}) {
    LanePair lane = test::lane_pair();
    lane.left.send({1});
    const test::BytePipe ready;
    {
      test::Child receiver([&] {
        lane.left.go();
        for (uint8_t i = 0; i < taken; ++i) lane.right.receive(sys::kForever);
        ready.send();
        for (;;) lane.right.receive(sys::kForever);
        return 0;
      });
      lane.right.go();
      if (taken == 2) lane.left.send({2});
      REQUIRE(ready.receive());
      for (int i = 0; i < 3; ++i) lane.left.send({3});
    }
    // Until a look some moments ago says nothing any more.
    for (const sys::Deadline end = sys::deadline_after(1); sys::monotonic_now() < end;) {
    }
    for (int i = 0; i < 3; ++i) CHECK(test::failure(lane.left.try_put({3})) == "send: EPIPE");
  }
}

TEST_CASE("what was put before the sender's end was closed comes before the end of the stream") {
  for (const bool with_token : {false, true}) {
    LanePair lane = pair_with_or_without_token(with_token);
    for (uint32_t i = 0; i < 10; ++i) {
      CHECK(lane.left.put(numbered(i, 10'000)));
      lane.left.send_on_socket(numbered(i, 100));
    }
    lane.left.close();
    for (uint32_t i = 0; i < 10; ++i) {
      CHECK(lane.right.receive(0) == numbered(i, 10'000));
      CHECK(lane.right.receive(0) == numbered(i, 100));
    }
    CHECK(has_ended(lane.right));
  }
}

TEST_CASE("a message whose forerunner is counted and never comes is there when the socket is empty") {
  for (const bool unread : {false, true}) {
    LanePair lane = test::open_lane_pair();
    if (unread) lane.right.send_on_socket({7});
    CHECK(lane.left.put({1}));
    for (uint8_t i = 2; i <= 3; ++i) {
      test::announce_on_socket(lane);
      CHECK(lane.left.put({i}));
    }
    CHECK(lane.right.receive(0) == Message{1});
    if (unread) CHECK(lane.right.look());
    for (uint8_t i = 2; i <= 3; ++i) CHECK(lane.right.receive(0) == Message{i});
    CHECK_FALSE(lane.right.look());
    lane.left.send_on_socket({4});
    CHECK(lane.left.put({5}));
    for (uint8_t i = 4; i <= 5; ++i) CHECK(lane.right.receive(0) == Message{i});
    lane.left.close();
    CHECK(has_ended(lane.right));
  }
}

TEST_CASE("of two receivers one sleeps beside a token that the other takes, with a message in front of another") {
  LanePair lane = test::open_lane_pair();
  test::LaneEnd awake(lane.file, 1, lane.right);
  CHECK_FALSE(lane.right.look());
  CHECK(lane.left.put({1}));
  CHECK(awake.take_frame() == Kind::kMessage);
  lane.left.send_on_socket({2});
  CHECK(lane.left.put({3}));
  CHECK(awake.receive(0) == Message{2});
  CHECK(lane.right.is_readable());
  CHECK(lane.right.receive(0) == Message{3});
}

TEST_CASE("no token gets into the middle of a message, and who sleeps is woken after it") {
  LanePair lane = test::open_lane_pair();
  test::LaneEnd other(lane.file, 0, lane.left);
  const Message large(3'000'000, 7);
  const Message frame = test::framed(large);
  // A token would find room.
  constexpr size_t begun = 1000;
  const int socket = lane.left.socket.get();
  CHECK(test::must(lane.left.sender.begin_frame(std::span(frame).first(begun), {}, true, {}, socket)) == begun);
  for (uint8_t i = 1; i <= 3; ++i) CHECK(other.put({i}));
  std::optional<Message> received;
  std::thread receiver([&] { received = lane.right.receive(sys::kForever); });
  lane.left.write(std::span(frame).subspan(begun));
  CHECK(lane.left.sender.end_frame(socket).ok());
  receiver.join();
  CHECK(received == large);
  CHECK(lane.right.is_readable());
  for (uint8_t i = 1; i <= 3; ++i) CHECK(lane.right.receive(0) == Message{i});
  CHECK_FALSE(lane.right.look());
}

TEST_CASE("one look finds what is behind tokens, a message or the end, however many there are") {
  for (size_t tokens = 1; tokens <= 9; ++tokens) {
    LanePair lane = test::open_lane_pair();
    const Message before(tokens, ipc::kLaneToken);
    lane.left.write(before);
    lane.left.send_on_socket({1});
    CHECK(lane.right.receive(0) == Message{1});
    lane.left.write(before);
    lane.left.close();
    CHECK(has_ended(lane.right));
  }
}

TEST_CASE("what a sender put before it was killed comes before the end of the stream") {
  for (const bool blocks : {false, true}) {
    LanePair lane = test::open_lane_pair();
    const test::BytePipe ready;
    {
      test::Child sender([&] {
        lane.right.go();
        for (uint32_t i = 0; i < 300; ++i) {
          if (i % 7 == 3) lane.left.send_on_socket(numbered(i, 100));
          if (i % 7 != 3) lane.left.send(numbered(i, 1000));
        }
        test::announce_on_socket(lane);  // but the message was never sent
        lane.left.send({1});
        ready.send();
        for (;;) pause();
        return 0;
      });
      lane.left.go();
      REQUIRE(ready.receive());
    }
    const auto next = [&] { return blocks ? lane.right.receive(sys::kForever) : lane.right.receive_polling(); };
    for (uint32_t i = 0; i < 300; ++i) CHECK(next() == numbered(i, i % 7 == 3 ? 100 : 1000));
    CHECK(next() == Message{1});
    CHECK(has_ended(lane.right));
  }
}
