// The two ends of a Pipe as the tests use them: each sends and receives as a process of the library does it.
#pragma once

#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ipc/frame.h"
#include "ipc/lane.h"
#include "sys/descriptor.h"
#include "sys/poll_wait.h"
#include "sys/socket_pair.h"
#include "test/support/outcome.h"
#include "test/support/ring_client.h"

namespace mp::test {

inline Message framed(const Message& message) {
  const auto header = ipc::frame_header(static_cast<uint32_t>(message.size()));
  Message frame(header.begin(), header.end());
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

class LaneEnd {
 public:
  LaneEnd(std::shared_ptr<ipc::LaneFile> file, uint32_t side, sys::UniqueFd socket_of_it, sys::UniqueFd bell_of_it)
      : sender(file, side), receiver(file, 1 - side), socket(std::move(socket_of_it)), bell(std::move(bell_of_it)) {
    must(sys::set_nonblocking(socket.get(), true));
  }

  // Another of the same end, as in another process or thread.
  LaneEnd(std::shared_ptr<ipc::LaneFile> file, uint32_t side, const LaneEnd& like)
      : LaneEnd(std::move(file), side, must(sys::duplicate(like.socket.get())), must(sys::duplicate(like.bell.get()))) {
  }

  ipc::LaneDescriptors descriptors() const { return {socket.get(), bell.get()}; }

  sys::Result<ipc::LanePut> try_put(const Message& message, bool ask = false) {
    const ipc::LaneSender::Bytes part = message;
    return sender.put({&part, 1}, descriptors(), ask);
  }

  ipc::LanePut outcome_of_put(const Message& message, bool ask = false) {
    const auto outcome = try_put(message, ask);
    if (!outcome) abort();
    return outcome.value();
  }

  // Whether it is in the memory now.
  bool put(const Message& message) { return outcome_of_put(message) == ipc::LanePut::kDone; }

  // Waits for room.
  void send(const Message& message) {
    for (;;) {
      const ipc::LanePut outcome = outcome_of_put(message, true);
      if (outcome == ipc::LanePut::kDone) return;
      if (outcome == ipc::LanePut::kElsewhere) return send_on_socket(message);
      wait_for(bell, POLLIN);
    }
  }

  void send_on_socket(const Message& message) {
    const Message frame = framed(message);
    const size_t begun = begin_frame(frame);
    write(std::span(frame).subspan(begun));
    if (begun < frame.size()) must(sender.end_frame(socket.get()));
  }

  size_t begin_frame(std::span<const uint8_t> bytes) {
    for (;;) {
      const auto begun = sender.begin_frame(bytes, {}, false, {}, socket.get());
      if (!begun) abort();
      if (begun.value()) return *begun.value();
      wait_for(socket, POLLOUT);
    }
  }

  void write(std::span<const uint8_t> bytes) const {
    while (!bytes.empty()) bytes = bytes.subspan(write_some(bytes));
  }

  // The next message; nothing when the time is up, and at the end of the stream.
  std::optional<Message> receive(sys::Deadline deadline) {
    using Kind = ipc::LaneReceived::Kind;
    for (;;) {
      const auto received = receiver.receive(descriptors(), room, &fds, deadline);
      if (!received) abort();
      const auto [kind, size] = received.value();
      if (kind == Kind::kNothing) return {};
      if (kind == Kind::kOnSocket) return rest_of_frame(size);
      if (kind == Kind::kMessage) return whole(room, size);
      Message message(size);
      const auto taken = receiver.take(message, bell.get());
      if (!taken) abort();
      if (!taken.value() || *taken.value() > size) continue;  // somebody else was faster
      message.resize(*taken.value());
      return message;
    }
  }

  // receive() that waits with poll(2) of its own, as an event loop does.
  std::optional<Message> receive_polling() {
    for (;;) {
      auto message = receive(0);
      if (message || ended) return message;
      wait_for(socket, POLLIN);
    }
  }

  bool look() {
    const auto there = receiver.look(socket.get());
    if (!there) abort();
    return there.value();
  }

  // What the memory has and `room` holds.
  ipc::LaneReceived::Kind take_frame() {
    const auto taken = receiver.take_frame(room, bell.get());
    if (!taken) abort();
    return taken.value().kind;
  }

  // Whoever sleeps for a message would be woken.
  bool is_readable() const { return is_ringing(socket.get()); }

  void close() {
    receiver.leave();
    go();
  }

  // As a process that ends, or has no use for this end.
  void go() {
    socket.reset();
    bell.reset();
  }

  ipc::LaneSender sender;
  ipc::LaneReceiver receiver;
  sys::UniqueFd socket;
  sys::UniqueFd bell;
  Message room = Message(4096);
  std::vector<sys::UniqueFd> fds;
  bool ended = false;

 private:
  static void wait_for(const sys::UniqueFd& fd, short events) {
    pollfd entry{.fd = fd.get(), .events = events, .revents = 0};
    if (!sys::poll_until({&entry, 1}, sys::kForever).ok()) abort();
  }

  size_t write_some(std::span<const uint8_t> bytes) const {
    for (;;) {
      const auto sent = sys::send_some(socket.get(), bytes);
      if (!sent) abort();
      if (sent.value()) return *sent.value();
      wait_for(socket, POLLOUT);
    }
  }

  static Message whole(const Message& frame, size_t size) {
    if (ipc::frame_length(frame) != static_cast<int64_t>(size - ipc::kFrameHeader)) abort();
    return Message(frame.begin() + ipc::kFrameHeader, frame.begin() + static_cast<ptrdiff_t>(size));
  }

  std::optional<Message> rest_of_frame(size_t had) {
    if (had == 0) {
      ended = true;
      return {};
    }
    Message frame(room.begin(), room.begin() + static_cast<ptrdiff_t>(had));
    if (!read_up_to(ipc::kFrameHeader, frame)) return {};
    const size_t size = ipc::kFrameHeader + static_cast<size_t>(ipc::frame_length(frame));
    if (had == size) return whole(frame, size);
    if (!read_up_to(size, frame)) return {};
    receiver.finish_frame();
    return whole(frame, size);
  }

  // False at the end of the stream.
  bool read_up_to(size_t size, Message& frame) {
    size_t had = frame.size();
    if (had >= size) return true;
    frame.resize(size);
    while (had < size) {
      const auto got = ipc::read_stream(socket.get(), std::span(frame).subspan(had), &fds);
      if (!got) abort();
      if (!got.value()) wait_for(socket, POLLIN);
      if (got.value() && *got.value() == 0) ended = true;
      if (ended) return false;
      had += got.value().value_or(0);
    }
    return true;
  }
};

struct LanePair {
  std::shared_ptr<ipc::LaneFile> file;
  LaneEnd left;
  LaneEnd right;
};

inline LanePair lane_pair() {
  auto file = must(ipc::LaneFile::create());
  auto sockets = must(sys::make_socket_pair());
  auto bells = must(sys::make_packet_pair());
  return {file, LaneEnd(file, 0, std::move(sockets.first), std::move(bells.first)),
          LaneEnd(file, 1, std::move(sockets.second), std::move(bells.second))};
}

// As if a process had been killed between a message on the socket and its count, at either end.
inline void announce_on_socket(LanePair& pair) { pair.file->header(0)->sent += 1; }

// Both have received before: the memory is used.
inline LanePair open_lane_pair() {
  LanePair pair = lane_pair();
  CHECK(pair.left.receive(0) == std::nullopt);
  CHECK(pair.right.receive(0) == std::nullopt);
  return pair;
}

}  // namespace mp::test
