#include "ipc/ring.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <numeric>
#include <utility>

#include "sys/event_fd.h"
#include "sys/file_hole.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/robust_mutex.h"

namespace mp::ipc {

namespace {

// Memory is reserved in steps of this size, and kept up to kKeep bytes when it has been consumed.
constexpr uint64_t kReserveStep = 64 << 10;
constexpr uint64_t kKeep = 1 << 20;
constexpr uint64_t kPage = 4096;

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }
constexpr uint64_t round_down(uint64_t value, uint64_t unit) { return value / unit * unit; }

// What a message takes in the ring.
constexpr uint64_t record_size(uint64_t message) { return sizeof(uint64_t) + round_up(message, kRingAlignment); }

}  // namespace

// The mutex held, and a copy of the state to change. Nobody sees a change before commit().
class RingTransaction {
 public:
  static sys::Result<RingTransaction> begin(RingHeader* header) {
    auto lock = sys::RobustLock::lock(&header->mutex);
    if (!lock) return lock.error();
    return RingTransaction(header, std::move(lock).value());
  }

  void commit() {
    const uint32_t other = 1 - header_->current.load(std::memory_order_relaxed);
    header_->states[other] = state;
    header_->current.store(other, std::memory_order_release);
  }

  RingState state;

 private:
  RingTransaction(RingHeader* header, sys::RobustLock lock)
      : state(header->states[header->current.load(std::memory_order_relaxed)]),
        header_(header),
        lock_(std::move(lock)) {}

  RingHeader* header_;
  sys::RobustLock lock_;
};

sys::Result<Ring> Ring::create(uint64_t capacity, uint64_t max_count) {
  if (capacity == 0 || capacity % kPage != 0) return sys::Error{EINVAL, "mmap"};
  const uint64_t length = kRingHeaderSize + capacity;
  auto file = sys::make_memory_file("posix-multiprocessing queue");
  if (!file) return file.error();
  if (auto sized = sys::set_file_size(file.value().get(), static_cast<int64_t>(length)); !sized) return sized.error();
  auto mapping = sys::Mapping::create(file.value().get(), length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
  if (!mapping) return mapping.error();
  auto items_bell = sys::make_event_fd(0, EFD_NONBLOCK);
  if (!items_bell) return items_bell.error();
  auto space_bell = sys::make_event_fd(0, EFD_NONBLOCK);
  if (!space_bell) return space_bell.error();

  Ring ring(std::move(file).value(), std::move(mapping).value(), std::move(items_bell).value(),
            std::move(space_bell).value());
  if (auto there = sys::reserve_file_space(ring.file_.get(), 0, kRingHeaderSize); !there) return there.error();
  auto* header = new (ring.mapping_.data()) RingHeader{};
  header->magic = kRingMagic;
  header->version = kRingVersion;
  header->capacity = capacity;
  header->max_count = max_count;
  if (auto made = sys::init_robust_mutex(&header->mutex); !made) return made.error();
  return ring;
}

sys::Result<PutOutcome> Ring::put(std::span<const Bytes> parts, bool ask) {
  const uint64_t size = std::accumulate(parts.begin(), parts.end(), uint64_t{0},
                                        [](uint64_t sum, Bytes part) { return sum + part.size(); });
  const uint64_t record = record_size(size);
  const uint64_t capacity = header()->capacity;
  const uint64_t max_count = header()->max_count;
  if (record > capacity) return sys::Error{EMSGSIZE, "put"};

  auto begun = RingTransaction::begin(header());
  if (!begun) return begun.error();
  RingTransaction& change = begun.value();
  RingState& state = change.state;
  if (state.ended != 0) return PutOutcome::kEnded;
  if ((max_count != 0 && state.count >= max_count) || state.tail + record - state.head > capacity) {
    if (ask) prepare_to_sleep(change, kAskedForSpace, space_bell());
    return PutOutcome::kFull;
  }
  if (auto there = reserve(change, state.tail + record); !there) return there.error();

  write(state.tail, {reinterpret_cast<const uint8_t*>(&size), sizeof(size)});
  uint64_t position = state.tail + sizeof(size);
  for (const Bytes part : parts) {
    write(position, part);
    position += part.size();
  }
  state.tail += record;
  state.count += 1;
  if (auto rung = wake(change, kAskedForItems, items_bell()); !rung) return rung.error();
  change.commit();
  return PutOutcome::kDone;
}

sys::Result<Taken> Ring::take(std::span<uint8_t> buffer, bool ask) {
  auto begun = RingTransaction::begin(header());
  if (!begun) return begun.error();
  RingTransaction& change = begun.value();
  RingState& state = change.state;
  if (state.count == 0) {
    if (state.ended != 0) return Taken{TakeOutcome::kEnded};
    if (ask) prepare_to_sleep(change, kAskedForItems, items_bell());
    return Taken{TakeOutcome::kEmpty};
  }

  uint64_t size = 0;
  read(state.head, {reinterpret_cast<uint8_t*>(&size), sizeof(size)});
  if (size > state.tail - state.head - sizeof(size)) return sys::Error{EBADMSG, "take"};
  Taken taken{TakeOutcome::kMessage, size};
  if (size > buffer.size()) {
    taken.own.reset(static_cast<uint8_t*>(std::malloc(size)));
    if (taken.own == nullptr) return sys::Error{ENOMEM, "take"};
    buffer = {taken.own.get(), size};
  }
  read(state.head + sizeof(size), buffer.first(size));
  state.head += record_size(size);
  state.count -= 1;
  if (auto rung = wake(change, kAskedForSpace, space_bell()); !rung) return rung.error();
  change.commit();
  tidy(change);
  return taken;
}

sys::Status Ring::end() {
  auto begun = RingTransaction::begin(header());
  if (!begun) return begun.error();
  RingTransaction& change = begun.value();
  for (const int bell : {items_bell(), space_bell()}) {
    if (auto rung = sys::ring_event_fd(bell); !rung) return rung.error();
  }
  change.state.ended = 1;
  change.state.asked = 0;
  change.commit();
  return sys::done();
}

sys::Result<uint64_t> Ring::size() const {
  auto begun = RingTransaction::begin(header());
  if (!begun) return begun.error();
  return begun.value().state.count;
}

// From here on the mutex is held.

void Ring::write(uint64_t position, Bytes bytes) {
  if (bytes.empty()) return;
  const uint64_t capacity = header()->capacity;
  const uint64_t place = position % capacity;
  const size_t first = std::min<uint64_t>(bytes.size(), capacity - place);
  std::memcpy(messages() + place, bytes.data(), first);
  if (first < bytes.size()) std::memcpy(messages(), bytes.data() + first, bytes.size() - first);
}

void Ring::read(uint64_t position, std::span<uint8_t> bytes) const {
  if (bytes.empty()) return;
  const uint64_t capacity = header()->capacity;
  const uint64_t place = position % capacity;
  const size_t first = std::min<uint64_t>(bytes.size(), capacity - place);
  std::memcpy(bytes.data(), messages() + place, first);
  if (first < bytes.size()) std::memcpy(bytes.data() + first, messages(), bytes.size() - first);
}

void Ring::prepare_to_sleep(RingTransaction& change, uint32_t asked, int bell) {
  if ((change.state.asked & asked) == 0) {
    change.state.asked |= asked;
    change.commit();
  }
  // A bell that can't be silenced only wakes the sleeper for nothing.
  static_cast<void>(sys::silence_event_fd(bell));
}

sys::Status Ring::wake(RingTransaction& change, uint32_t asked, int bell) {
  if ((change.state.asked & asked) == 0) return sys::done();
  change.state.asked &= ~asked;
  return sys::ring_event_fd(bell);
}

// Writing to memory that the system can't provide is SIGBUS: ask first. A page that still holds the start of the oldest
// message when the tail comes round is there already.
sys::Status Ring::reserve(RingTransaction& change, uint64_t end) {
  RingState& state = change.state;
  const uint64_t capacity = header()->capacity;
  const uint64_t most = round_down(state.head, kPage) + capacity;
  const uint64_t target = std::min(round_up(end, kReserveStep), most);
  for (uint64_t from = state.reserved; from < target;) {
    const uint64_t place = from % capacity;
    const uint64_t length = std::min(target - from, capacity - place);
    auto there = sys::reserve_file_space(file_.get(), static_cast<int64_t>(kRingHeaderSize + place),
                                         static_cast<int64_t>(length));
    if (!there) return there.error();
    from += length;
  }
  if (target <= state.reserved) return sys::done();
  state.reserved = target;
  if (target > capacity) state.low = std::max(state.low, target - capacity);
  return sys::done();
}

// A failure costs memory, nothing else.
void Ring::give_back(uint64_t from, uint64_t to) {
  const uint64_t capacity = header()->capacity;
  while (from < to) {
    const uint64_t place = from % capacity;
    const uint64_t length = std::min(to - from, capacity - place);
    static_cast<void>(sys::punch_hole(file_.get(), static_cast<int64_t>(kRingHeaderSize + place),
                                      static_cast<int64_t>(length)));
    from += length;
  }
}

// After a commit: what was consumed must not come back. A process that is killed in here leaves the work to the next.
void Ring::tidy(RingTransaction& change) {
  RingState& state = change.state;
  if (state.count == 0) {
    const uint64_t keep = state.low == 0 ? std::min(state.reserved, kKeep) : 0;
    give_back(state.low + keep, state.reserved);
    state.head = state.tail = state.low = 0;
    state.reserved = keep;
    change.commit();
  } else if (state.head - state.low >= kKeep) {
    const uint64_t consumed = round_down(state.head, kPage);
    give_back(state.low, consumed);
    state.low = consumed;
    change.commit();
  }
}

}  // namespace mp::ipc
