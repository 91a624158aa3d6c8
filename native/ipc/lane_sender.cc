#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "ipc/lane.h"
#include "sys/file_size.h"
#include "sys/poll_wait.h"
#include "sys/robust_mutex.h"
#include "sys/scm_rights.h"
#include "sys/socket_pair.h"

namespace mp::ipc {

namespace {

// Longer messages go through the socket: two of these fit.
constexpr uint64_t kLongest = kLaneCapacity / 2 - sizeof(LaneRecord);
// A lane that was emptied begins anew from here on: what is used again and again should be in the cache.
constexpr uint64_t kWarm = 16 << 10;
// But not where only so few messages would have room then, until the receiver is there, too.
constexpr uint64_t kAhead = 16;
// Shorter messages keep to the first part of the lane, for the same reason.
constexpr uint64_t kShort = 64 << 10;
constexpr uint64_t kRoomOfShort = 1 << 20;
// Memory is asked for by so many bytes at first, then by as many as there are.
constexpr uint64_t kBacking = 16 << 10;
// For so long, in nanoseconds, a receiver that was there is taken to be there still.
constexpr int64_t kBelieved = 20'000;

}  // namespace

// Where a message goes, and whether a skip to place 0 comes before it.
struct LaneSender::Place {
  uint64_t position;
  bool skips;
};

std::optional<LaneSender::Place> LaneSender::place_for(uint64_t size) const {
  const uint64_t tail = header()->tail.load(std::memory_order_relaxed);
  const uint64_t head = header()->head.load(std::memory_order_acquire);
  const uint64_t needed = footprint(size);
  const auto fits = [&](uint64_t position) {
    return position % kLaneCapacity + needed <= kLaneCapacity && position + needed - head <= kLaneCapacity;
  };
  const uint64_t place = tail % kLaneCapacity;
  const bool is_out = place + needed > (size <= kShort ? kRoomOfShort : kLaneCapacity);
  const bool is_cold = head == tail && place >= std::max(kWarm, kAhead * needed);
  if ((is_out || is_cold) && fits(start_after(tail))) return Place{start_after(tail), true};
  if (!is_out && fits(tail)) return Place{tail, false};
  return std::nullopt;
}

// Whether there is memory for the first `end` bytes: to touch what the system can't give would be SIGBUS.
bool LaneSender::back(uint64_t end) {
  if (end <= header()->backed) return true;
  const uint64_t wanted = std::min(std::max({end, 2 * uint64_t{header()->backed}, kBacking}), kLaneCapacity);
  const auto reserved =
      sys::reserve_file_space(file_->fd(), file_->offset_of_bytes(direction_), static_cast<int64_t>(wanted));
  if (reserved.ok()) header()->backed = static_cast<uint32_t>(wanted);
  return reserved.ok();
}

// With the mutex held. Who sleeps has asked. And of several receivers one may sleep without, beside a token that
// another one takes together with a message that stood before this: so behind each message on the socket there is one.
bool LaneSender::must_wake() const {
  const uint32_t sent = header()->sent.load(std::memory_order_relaxed);
  if (header()->asked.load(std::memory_order_relaxed) != 0) return true;
  return sent != header()->taken.load(std::memory_order_relaxed) && sent != header()->announced;
}

// With the mutex held, so that no token gets into the middle of a message: end_frame() sends it then. False: the socket
// is full.
sys::Result<bool> LaneSender::wake(int socket) {
  if (header()->open_frames != 0) return true;
  auto sent = sys::send_some(socket, {&kLaneToken, 1});
  if (!sent) return sent.error();
  if (!sent.value()) return false;
  header()->announced = header()->sent.load(std::memory_order_relaxed);
  header()->asked.store(0, std::memory_order_relaxed);
  return true;
}

// Asks the system now and then, and after each close() of the receiving end.
sys::Result<bool> LaneSender::has_receiver(int socket) {
  const uint32_t leavings = header()->leavings.load(std::memory_order_acquire);
  const sys::Deadline now = sys::monotonic_now();
  if (leavings == leavings_ && now - looked_ < kBelieved) return true;
  pollfd entry{.fd = socket, .events = 0, .revents = 0};
  if (auto polled = sys::poll_until({&entry, 1}, 0); !polled) return polled.error();
  if ((entry.revents & (POLLHUP | POLLERR)) != 0) return false;
  leavings_ = leavings;
  looked_ = now;
  return true;
}

sys::Result<LanePut> LaneSender::put(std::span<const Bytes> parts, LaneDescriptors end, bool ask) {
  LaneHeader* header = this->header();
  if (header->state.load(std::memory_order_acquire) != kLaneOpen) return LanePut::kElsewhere;
  const uint64_t size = std::accumulate(parts.begin(), parts.end(), uint64_t{0},
                                        [](uint64_t sum, Bytes part) { return sum + part.size(); });
  if (size > kLongest) return LanePut::kElsewhere;
  if (header->asked.load(std::memory_order_relaxed) == 0) {
    const auto received = has_receiver(end.socket);
    if (!received) return received.error();
    if (!received.value()) return sys::Error{EPIPE, "send"};
  }
  auto outcome = try_put(parts, size, end.socket);
  while (ask && outcome.ok() && outcome.value() == LanePut::kFull) {
    const auto has_room = ask_for_room(size, end.bell);
    if (!has_room) return has_room.error();
    if (!has_room.value()) return LanePut::kFull;
    outcome = try_put(parts, size, end.socket);
  }
  return outcome;
}

sys::Result<LanePut> LaneSender::try_put(std::span<const Bytes> parts, uint64_t size, int socket) {
  LaneHeader* header = this->header();
  auto lock = sys::RobustLock::lock_politely(&header->tail_mutex);
  if (!lock) return lock.error();
  const auto place = place_for(size);
  if (!place) return LanePut::kFull;
  if (!back(place->position % kLaneCapacity + footprint(size))) return LanePut::kElsewhere;
  const uint64_t tail = header->tail.load(std::memory_order_relaxed);
  if (place->skips && !back(tail % kLaneCapacity + sizeof(LaneRecord))) return LanePut::kElsewhere;

  if (place->skips) {
    const LaneRecord skip{kLaneSkip, 0};
    std::memcpy(file_->at(direction_, tail), &skip, sizeof(skip));
  }
  const LaneRecord record{static_cast<uint32_t>(size), header->sent.load(std::memory_order_acquire)};
  uint8_t* to = file_->at(direction_, place->position);
  std::memcpy(to, &record, sizeof(record));
  to += sizeof(record);
  for (const Bytes part : parts) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  // Who asks does so with this mutex held: he will see the message, or this sees the question. First, as who is killed
  // in between has woken somebody for nothing, which is better than to leave him asleep beside a message.
  if (must_wake()) {
    const auto woken = wake(socket);
    if (!woken) return woken.error();
    if (!woken.value()) return LanePut::kElsewhere;
  }
  // This makes it so for everybody; who is killed before has done nothing.
  header->tail.store(place->position + footprint(size), std::memory_order_release);
  return LanePut::kDone;
}

// With the mutex held, so that nobody's message that is put after this comes before it. Counted first: a message that
// is counted and was never sent, because of a death, is noticed by whoever finds the socket empty.
sys::Result<sys::Moved> LaneSender::begin_frame(Bytes first, Bytes second, bool more, std::span<const int> descriptors,
                                                int socket) {
  LaneHeader* header = this->header();
  auto lock = sys::RobustLock::lock_politely(&header->tail_mutex);
  if (!lock) return lock.error();
  const uint32_t before = header->sent.load(std::memory_order_relaxed);
  header->sent.store(before + 1, std::memory_order_release);
  auto sent =
      descriptors.empty() ? sys::send_two(socket, first, second) : sys::send_descriptors(socket, descriptors, first);
  const size_t count = sent.ok() ? sent.value().value_or(0) : 0;
  if (count == 0) header->sent.store(before, std::memory_order_release);
  if (count > 0 && (more || count < first.size() + second.size())) header->open_frames += 1;
  return sent;
}

sys::Status LaneSender::end_frame(int socket) {
  LaneHeader* header = this->header();
  auto lock = sys::RobustLock::lock_politely(&header->tail_mutex);
  if (!lock) return lock.error();
  header->open_frames -= 1;
  const bool is_empty = header->head.load(std::memory_order_acquire) == header->tail.load(std::memory_order_relaxed);
  if (is_empty) return sys::done();
  // Where the socket is full, what it is full of wakes as well.
  const auto woken = wake(socket);
  return woken.ok() ? sys::done() : sys::Status(woken.error());
}

// Whether there is room by now; if not, a receiver rings the bell when half of what is there has been taken. With the
// head's mutex held nothing is.
sys::Result<bool> LaneSender::ask_for_room(uint64_t size, int bell) {
  LaneHeader* header = this->header();
  auto lock = sys::RobustLock::lock_politely(&header->head_mutex);
  if (!lock) return lock.error();
  if (place_for(size)) return true;
  const uint64_t head = header->head.load(std::memory_order_relaxed);
  const uint64_t half = head + (header->tail.load(std::memory_order_acquire) - head + 1) / 2;
  if (header->room_at == 0 || header->room_at > half) header->room_at = half;
  std::array<uint8_t, 1> token;
  const auto got = sys::read_some(bell, token);
  // A reset: the other end has gone with something in its bell.
  const bool has_gone = got.ok() ? got.value() == size_t{0} : got.error().number == ECONNRESET;
  if (has_gone) return sys::Error{EPIPE, "send"};
  if (!got) return got.error();
  return false;
}

}  // namespace mp::ipc
