#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "ipc/frame.h"
#include "ipc/lane.h"
#include "sys/poll_wait.h"
#include "sys/relax.h"
#include "sys/robust_mutex.h"
#include "sys/socket_pair.h"

namespace mp::ipc {

namespace {

// Tokens at the start of what has come are taken out of it; how many bytes are left.
size_t without_tokens(std::span<uint8_t> bytes) {
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte != kLaneToken; });
  return static_cast<size_t>(std::move(first, bytes.end(), bytes.begin()) - bytes.begin());
}

sys::Result<bool> is_readable(int socket) {
  pollfd entry{.fd = socket, .events = POLLIN, .revents = 0};
  const auto ready = sys::poll_until({&entry, 1}, 0);
  if (!ready) return ready.error();
  return ready.value() > 0;
}

// The end of the stream is 0 bytes, also where the peer left without having read all that it was sent.
sys::Result<sys::Moved> read_until_end(int socket, std::span<uint8_t> buffer, std::vector<sys::UniqueFd>* fds) {
  auto got = read_stream(socket, buffer, fds);
  if (!got && got.error().number == ECONNRESET) return sys::Moved(0);
  return got;
}

}  // namespace

LaneRecord LaneReceiver::record_at(uint64_t position) const {
  LaneRecord record;
  std::memcpy(&record, file_->at(direction_, position), sizeof(record));
  return record;
}

// Past a skip, if there is one.
std::optional<LaneReceiver::Oldest> LaneReceiver::oldest() const {
  uint64_t head = header()->head.load(std::memory_order_acquire);
  if (head == header()->tail.load(std::memory_order_acquire)) return std::nullopt;
  LaneRecord record = record_at(head);
  if (record.size == kLaneSkip) {
    head = start_after(head);
    record = record_at(head);
  }
  return Oldest{head, record};
}

bool LaneReceiver::is_due(const Oldest& oldest) const {
  return static_cast<int32_t>(oldest.record.after - header()->taken.load(std::memory_order_acquire)) <= 0;
}

sys::Result<std::optional<uint64_t>> LaneReceiver::take(std::span<uint8_t> buffer, int bell) {
  LaneHeader* header = this->header();
  auto lock = sys::RobustLock::lock_politely(&header->head_mutex);
  if (!lock) return lock.error();
  const auto oldest = this->oldest();
  if (!oldest || !is_due(*oldest)) return std::optional<uint64_t>();
  const uint64_t size = oldest->record.size;
  if (size > buffer.size()) return std::optional(size);
  const uint8_t* from = file_->at(direction_, oldest->position) + sizeof(LaneRecord);
  if (size > 0) std::memcpy(buffer.data(), from, size);
  const uint64_t head = oldest->position + footprint(size);
  wake_sender(head, bell);
  // Who is killed before has taken nothing.
  header->head.store(head, std::memory_order_release);
  return std::optional(size);
}

// Before the room is there: who is killed in between leaves a sender that looks for nothing, not one that sleeps on.
void LaneReceiver::wake_sender(uint64_t head, int bell) const {
  uint64_t& room_at = header()->room_at;
  if (room_at == 0 || room_at > head) return;
  // A bell that is full of bytes is readable; of a sender that has gone there is nobody to wake.
  static_cast<void>(sys::send_some(bell, {&kLaneToken, 1}));
  room_at = 0;
}

// With the tail's mutex held, and the socket empty: all that was sent has come, whatever was counted. Whoever is killed
// between a message on the socket and its count leaves that to be found here.
void LaneReceiver::settle() const {
  header()->taken.store(header()->sent.load(std::memory_order_relaxed), std::memory_order_release);
}

bool LaneReceiver::has_message() const {
  return header()->head.load(std::memory_order_relaxed) != header()->tail.load(std::memory_order_relaxed);
}

bool LaneReceiver::spin(int64_t nanoseconds) const {
  const sys::Deadline end = sys::monotonic_now() + nanoseconds;
  do {
    for (int looks = 0; looks < 16; ++looks) {
      if (has_message()) return true;
      sys::relax();
    }
    std::this_thread::yield();
  } while (sys::monotonic_now() < end);
  return false;
}

// What the socket has, when nothing in the memory is due; nothing when something is by now. With the tail's mutex held
// nobody puts a message meanwhile: a token that is read here has nothing to say any more, and whoever puts one after
// this finds that he is asked for another.
sys::Result<std::optional<LaneReceived>> LaneReceiver::receive_from_socket(int socket, std::span<uint8_t> buffer,
                                                                           std::vector<sys::UniqueFd>* fds) {
  using Kind = LaneReceived::Kind;
  LaneHeader* header = this->header();
  size_t had = 0;
  {
    auto lock = sys::RobustLock::lock_politely(&header->tail_mutex);
    if (!lock) return lock.error();
    const auto oldest = this->oldest();
    if (oldest && is_due(*oldest)) return std::optional<LaneReceived>();
    header->asked.store(1, std::memory_order_relaxed);
    while (had == 0) {
      const auto got = read_until_end(socket, buffer.first(kFrameHeader), fds);
      if (!got) return got.error();
      const size_t count = got.value().value_or(0);
      if (count == 0) {
        settle();
        if (oldest) return std::optional<LaneReceived>();
        return std::optional(got.value() ? LaneReceived{Kind::kOnSocket, 0} : LaneReceived{Kind::kNothing});
      }
      had = without_tokens(buffer.first(count));
    }
    header->in_part.store(1, std::memory_order_release);
    header->taken.store(header->taken.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  if (had < kFrameHeader) {
    const auto more = read_stream(socket, buffer.subspan(had, kFrameHeader - had), fds);
    if (more.ok() && more.value()) had += *more.value();
  }
  if (had < kFrameHeader) return std::optional(LaneReceived{Kind::kOnSocket, had});
  const uint64_t size = read_rest_of_frame(socket, buffer);
  if (static_cast<int64_t>(size) == int64_t{kFrameHeader} + frame_length(buffer)) finish_frame();
  return std::optional(LaneReceived{Kind::kOnSocket, size});
}

sys::Result<LaneReceived> LaneReceiver::take_frame(std::span<uint8_t> buffer, int bell) {
  using Kind = LaneReceived::Kind;
  const auto taken = take(buffer.subspan(kFrameHeader), bell);
  if (!taken) return taken.error();
  if (!taken.value()) return LaneReceived{Kind::kNothing};
  const uint64_t size = *taken.value();
  if (size > buffer.size() - kFrameHeader) return LaneReceived{Kind::kLong, size};
  const auto first = frame_header(static_cast<uint32_t>(size));
  std::copy(first.begin(), first.end(), buffer.begin());
  return LaneReceived{Kind::kMessage, kFrameHeader + size};
}

sys::Result<LaneReceived> LaneReceiver::receive(LaneDescriptors end, std::span<uint8_t> buffer,
                                                std::vector<sys::UniqueFd>* fds, sys::Deadline deadline) {
  using Kind = LaneReceived::Kind;
  if (header()->state.load(std::memory_order_relaxed) == 0) {
    header()->state.fetch_or(kLaneOpen, std::memory_order_acq_rel);
  }
  for (;;) {
    const auto taken = take_frame(buffer, end.bell);
    if (!taken || taken.value().kind != Kind::kNothing) return taken;
    const auto received = receive_from_socket(end.socket, buffer, fds);
    if (!received) return received.error();
    if (!received.value()) continue;
    if (received.value()->kind != Kind::kNothing || deadline == 0) return *received.value();
    pollfd entry{.fd = end.socket, .events = POLLIN, .revents = 0};
    const auto ready = sys::poll_until({&entry, 1}, deadline);
    if (!ready) return ready.error();
    if (ready.value() == 0) return LaneReceived{Kind::kNothing};
  }
}

sys::Result<bool> LaneReceiver::look(int socket) {
  auto lock = sys::RobustLock::lock_politely(&header()->tail_mutex);
  if (!lock) return lock.error();
  const auto oldest = this->oldest();
  if (oldest && is_due(*oldest)) return true;
  if (header()->in_part.load(std::memory_order_acquire) != 0) return is_readable(socket);
  header()->asked.store(1, std::memory_order_relaxed);
  for (;;) {
    std::array<uint8_t, kFrameHeader> bytes;
    const auto there = sys::peek_some(socket, bytes);
    if (!there) return there.error().number == ECONNRESET ? sys::Result<bool>(true) : there.error();
    if (!there.value()) {
      settle();
      return oldest.has_value();
    }
    const size_t count = *there.value();
    const size_t tokens = count - without_tokens(std::span(bytes).first(count));
    if (tokens == 0) return true;
    const auto gone = sys::read_some(socket, std::span(bytes).first(tokens));
    if (!gone) return gone.error();
  }
}

}  // namespace mp::ipc
