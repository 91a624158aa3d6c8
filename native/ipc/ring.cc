#include "ipc/ring.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <thread>

#include "ipc/ring_message.h"
#include "sys/clock.h"
#include "sys/event_fd.h"
#include "sys/relax.h"
#include "sys/streaming_copy.h"

namespace mp::ipc {

namespace {

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// Large messages that follow one another so closely, in nanoseconds, get warm memory: ts/queues/message_ring.ts has the
// same time.
constexpr int64_t kStreaming = 2'000'000'000;

// Longer messages get segments of their own: what is left of a segment that one does not fit into any more is wasted.
uint64_t longest_here(const RingHeader* header) { return header->shape.segment_size / 4; }

uint64_t serial_room(bool with_descriptors) { return with_descriptors ? sizeof(uint64_t) : 0; }

// From this size on a message is nothing that a cache could hold until its receiver has it.
constexpr size_t kStreamed = 256 << 10;

void copy(uint8_t* to, Ring::Bytes bytes) {
  if (bytes.size() >= kStreamed) {
    sys::streaming_copy(to, bytes.data(), bytes.size());
  } else if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
}

}  // namespace

uint8_t* Ring::at(RingPosition position) const {
  return segments().start_of(segment_of(position)) + offset_of(position);
}

bool Ring::is_full(uint64_t tail) const {
  const uint64_t max_count = header()->max_count;
  return max_count != 0 && tail - header()->head.count.load(std::memory_order_acquire) >= max_count;
}

// For a change of that end. What a dead holder may have left undone is noted.
sys::Result<sys::RobustLock> Ring::hold(RingEnd& end) {
  auto lock = sys::RobustLock::lock_politely(&end.mutex);
  if (lock.ok() && lock.value().owner_died()) header()->space.needs_rebuild = 1;
  return lock;
}

// The next message is in place, or has been read: with the end's mutex held, this makes it so for everybody.
sys::Status Ring::pass(RingEnd& end, uint64_t count, RingPosition next, std::optional<int> bell) {
  end.positions[(count + 1) & 1] = next;
  if (bell) {
    if (auto woken = wake(end, *bell); !woken) return woken;
  }
  end.count.store(count + 1, std::memory_order_release);
  return sys::done();
}

// Who has noted at this end that it sleeps.
sys::Status Ring::wake(RingEnd& end, int bell) {
  if (end.asked % 2 == 0) return sys::done();
  if (auto rung = sys::ring_event_fd(bell); !rung) return rung;
  end.asked += 1;
  return sys::done();
}

sys::Status Ring::ring_items_bell() {
  RingEnd& tail = header()->tail;
  auto lock = hold(tail);
  if (!lock) return lock.error();
  return wake(tail, files_.items_bell.get());
}

// A bell that can't be silenced only wakes the sleeper for nothing. While there is a message it rings on: others may
// sleep that have not heard it yet, and none comes with the mutex held.
sys::Status Ring::ask_for_items() {
  RingEnd& tail = header()->tail;
  auto lock = hold(tail);
  if (!lock) return lock.error();
  tail.asked |= 1;
  if (nothing_there(header()->head.count.load(std::memory_order_acquire)) == TakeOutcome::kEmpty) {
    static_cast<void>(sys::silence_event_fd(files_.items_bell.get()));
  }
  return sys::done();
}

sys::Result<uint32_t> Ring::ask_for_space() {
  RingEnd& head = header()->head;
  auto lock = hold(head);
  if (!lock) return lock.error();
  return head.asked |= 1;
}

// What is room enough only the next try tells: who has then tried in vain silences the bell, unless it has rung since
// that one asked.
sys::Status Ring::sleep_for_space(uint32_t asked) {
  RingEnd& head = header()->head;
  auto lock = hold(head);
  if (!lock) return lock.error();
  if (head.asked == asked && header()->ended.load(std::memory_order_relaxed) == 0) {
    static_cast<void>(sys::silence_event_fd(files_.space_bell.get()));
  }
  return sys::done();
}

sys::Result<PutOutcome> Ring::put(std::span<const Bytes> parts, bool ask, std::span<const int> descriptors) {
  const uint64_t size = std::accumulate(parts.begin(), parts.end(), uint64_t{0},
                                        [](uint64_t sum, Bytes part) { return sum + part.size(); });
  if (size > longest_here(header()) && segments().needed(size) > segments().longest_run()) {
    return sys::Error{EMSGSIZE, "put"};
  }
  return put({parts, size, descriptors, nullptr}, ask);
}

sys::Result<PutOutcome> Ring::put(const Message& message, bool ask) {
  auto outcome = try_put(message);
  if (!ask || !outcome.ok() || outcome.value() != PutOutcome::kFull) return outcome;
  const auto asked = ask_for_space();
  if (!asked) return asked.error();
  outcome = try_put(message);
  if (!outcome.ok() || outcome.value() != PutOutcome::kFull) return outcome;
  if (auto asleep = sleep_for_space(asked.value()); !asleep) return asleep.error();
  return outcome;
}

sys::Result<PutOutcome> Ring::try_put(const Message& message) {
  RingEnd& tail = header()->tail;
  auto lock = hold(tail);
  if (!lock) return lock.error();
  if (header()->ended.load(std::memory_order_relaxed) != 0) return PutOutcome::kEnded;
  const uint64_t count = tail.count.load(std::memory_order_relaxed);
  if (is_full(count)) return PutOutcome::kFull;

  std::optional<Run> own;
  std::optional<Run> next;
  const auto undo = [&] {
    for (const auto& run : {own, next}) {
      if (run) static_cast<void>(segments().give_back(*run));
    }
  };
  const bool elsewhere = message.loan != nullptr || message.size > longest_here(header());
  if (elsewhere && message.loan == nullptr) {
    auto taken = take_segments(segments().needed(message.size));
    if (!taken) return taken.error();
    if (!(own = taken.value())) return PutOutcome::kFull;
  }
  const bool with_descriptors = !message.descriptors.empty();
  const uint64_t payload = elsewhere ? sizeof(RingReference) : message.size;
  const uint64_t record = sizeof(RingRecord) + serial_room(with_descriptors) + round_up(payload, 8);
  RingPosition position = tail.positions[count & 1];
  if (offset_of(position) + record + sizeof(RingRecord) > header()->shape.segment_size) {
    auto taken = take_segments(1);
    if (!taken.ok() || !taken.value()) {
      undo();
      if (!taken.ok()) return taken.error();
      return PutOutcome::kFull;
    }
    next = taken.value();
    new (at(position)) RingRecord{next->first, kRecordNext};
    position = position_of(next->first, 0);
  }

  uint8_t* place = at(position);
  const uint32_t kind = (elsewhere ? kRecordElsewhere : kRecordHere) | (with_descriptors ? kWithDescriptors : 0);
  new (place) RingRecord{static_cast<uint32_t>(payload), kind};
  place += sizeof(RingRecord);
  if (with_descriptors) {
    const uint64_t serial = ++header()->serial;
    auto posted = post(serial, message.descriptors);
    if (!posted.ok() || !posted.value()) {
      undo();
      if (!posted.ok()) return posted.error();
      return PutOutcome::kFull;
    }
    std::memcpy(place, &serial, sizeof(serial));
    place += sizeof(serial);
  }
  if (elsewhere) {
    header()->last_large.store(sys::monotonic_now(), std::memory_order_relaxed);
    const uint32_t first = message.loan != nullptr ? message.loan->first : own->first;
    const RingReference reference{message.size, first, 0};
    std::memcpy(place, &reference, sizeof(reference));
    place = segments().start_of(first);
  }
  for (const Bytes part : message.parts) {
    copy(place, part);
    place += part.size();
  }
  std::optional<int> bell;
  if (!holds_items_bell_ || elsewhere) bell = files_.items_bell.get();
  if (auto passed = pass(tail, count, position + record, bell); !passed) {
    undo();
    return passed.error();
  }
  if (message.loan != nullptr) static_cast<void>(segments().forget_loan(message.loan->number));
  return PutOutcome::kDone;
}

std::optional<Ring::Found> Ring::find_oldest(uint64_t count) const {
  RingPosition position = header()->head.positions[count & 1];
  const auto* record = reinterpret_cast<const RingRecord*>(at(position));
  Found found{};
  if (record->kind == kRecordNext) {
    found.passed = segment_of(position);
    position = position_of(record->size, 0);
    record = reinterpret_cast<const RingRecord*>(at(position));
  }
  const bool with_descriptors = (record->kind & kWithDescriptors) != 0;
  const uint32_t kind = record->kind & ~kWithDescriptors;
  if (kind != kRecordHere && kind != kRecordElsewhere) return std::nullopt;
  const uint64_t room = sizeof(RingRecord) + serial_room(with_descriptors);
  found.next = position + room + round_up(record->size, 8);
  if (offset_of(found.next) + sizeof(RingRecord) > header()->shape.segment_size) return std::nullopt;
  const uint8_t* payload = at(position) + room;
  if (with_descriptors) {
    uint64_t serial = 0;
    std::memcpy(&serial, payload - sizeof(serial), sizeof(serial));
    found.serial = serial;
  }
  if (kind == kRecordHere) {
    found.size = record->size;
    found.bytes = payload;
  } else {
    RingReference reference;
    std::memcpy(&reference, payload, sizeof(reference));
    const uint64_t segments_of_it = std::max<uint64_t>(1, segments().needed(reference.size));
    found.size = reference.size;
    found.bytes = segments().start_of(reference.first);
    found.run = Run{reference.first, static_cast<uint32_t>(segments_of_it)};
  }
  return found;
}

sys::Result<Taken> Ring::take(std::span<uint8_t> buffer, bool ask) {
  auto taken = try_take(buffer);
  if (!ask || !taken.ok() || taken.value().outcome != TakeOutcome::kEmpty) return taken;
  if (auto asked = ask_for_items(); !asked) return asked.error();
  return try_take(buffer);
}

std::optional<TakeOutcome> Ring::nothing_there(uint64_t head) const {
  const RingEnd& tail = header()->tail;
  if (tail.count.load(std::memory_order_acquire) != head) return std::nullopt;
  if (header()->ended.load(std::memory_order_acquire) == 0) return TakeOutcome::kEmpty;
  if (tail.count.load(std::memory_order_acquire) != head) return std::nullopt;
  return TakeOutcome::kEnded;
}

sys::Result<Taken> Ring::try_take(std::span<uint8_t> buffer) {
  RingEnd& head = header()->head;
  auto lock = hold(head);
  if (!lock) return lock.error();
  for (;;) {
    const uint64_t count = head.count.load(std::memory_order_relaxed);
    if (const auto nothing = nothing_there(count)) return Taken{*nothing, 0, {}};
    const auto found = find_oldest(count);
    if (!found) return sys::Error{EBADMSG, "take"};
    if (found->size > buffer.size()) return Taken{TakeOutcome::kTooLong, found->size, {}};
    if (found->size > 0) std::memcpy(buffer.data(), found->bytes, found->size);
    Taken taken{TakeOutcome::kMessage, found->size, {}};
    bool lost = false;
    if (found->serial) {
      auto collected = collect(*found->serial, &lost);
      if (!collected) return collected.error();
      taken.descriptors = std::move(collected).value();
    }
    if (auto passed = pass(head, count, found->next, files_.space_bell.get()); !passed) return passed.error();
    if (found->run) static_cast<void>(segments().give_back(*found->run));
    if (found->passed) static_cast<void>(segments().give_back({*found->passed, 1}));
    if ((found->run || found->passed) && count + 1 == header()->tail.count.load(std::memory_order_relaxed))
      trim_unless_wanted();
    // Its descriptors were taken by a process that died before it had taken the message: that is the one it had just
    // taken.
    if (!lost) return taken;
  }
}

// The last message has been taken. Who has just put one, or holds the tail, is about to put the next: it gets warm
// memory.
void Ring::trim_unless_wanted() {
  if (!segments().has_spare_memory()) return;
  if (sys::monotonic_now() - header()->last_large.load(std::memory_order_relaxed) < kStreaming) return;
  const auto tail = sys::RobustLock::try_lock(&header()->tail.mutex);
  if (!tail.ok() || !tail.value()) return;
  if (tail.value()->owner_died()) header()->space.needs_rebuild = 1;
  static_cast<void>(segments().trim(UINT64_MAX));
}

sys::Status Ring::end() {
  auto tail = hold(header()->tail);
  if (!tail) return tail.error();
  auto head = hold(header()->head);
  if (!head) return head.error();
  for (const int bell : {files_.items_bell.get(), files_.space_bell.get()}) {
    if (auto rung = sys::ring_event_fd(bell); !rung) return rung.error();
  }
  header()->ended.store(1, std::memory_order_release);
  return sys::done();
}

// Neither count ever falls, and the head never passes the tail: with the same head before and after, the tail is of a
// moment in between.
uint64_t Ring::size() const {
  for (;;) {
    const uint64_t head = header()->head.count.load(std::memory_order_acquire);
    const uint64_t tail = header()->tail.count.load(std::memory_order_acquire);
    if (header()->head.count.load(std::memory_order_acquire) == head) return tail - head;
  }
}

bool Ring::spin_for_items(int64_t nanoseconds) const {
  constexpr int kLooks = 32;  // between two looks at the clock
  const RingHeader* ring = header();
  const int64_t until = sys::monotonic_now() + nanoseconds;
  do {
    for (int look = 0; look < kLooks; ++look) {
      if (ring->tail.count.load(std::memory_order_acquire) != ring->head.count.load(std::memory_order_relaxed))
        return true;
      sys::relax();
    }
    std::this_thread::yield();
  } while (sys::monotonic_now() < until);
  return false;
}

sys::Result<DoneOutcome> Ring::count_done() {
  RingEnd& done = header()->done;
  auto lock = hold(done);
  if (!lock) return lock.error();
  const uint64_t count = done.count.load(std::memory_order_relaxed);
  const uint64_t all = header()->tail.count.load(std::memory_order_acquire);
  if (count == all) return DoneOutcome::kTooMany;
  if (count + 1 == all) {
    if (auto woken = wake(done, files_.done_bell.get()); !woken) return woken.error();
  }
  done.count.store(count + 1, std::memory_order_release);
  return DoneOutcome::kDone;
}

sys::Result<uint64_t> Ring::unfinished(bool ask) {
  RingEnd& done = header()->done;
  auto lock = hold(done);
  if (!lock) return lock.error();
  const uint64_t left =
      header()->tail.count.load(std::memory_order_acquire) - done.count.load(std::memory_order_relaxed);
  if (left > 0 && ask) {
    done.asked |= 1;
    static_cast<void>(sys::silence_event_fd(files_.done_bell.get()));
  }
  return left;
}

sys::Result<std::optional<Run>> Ring::take_segments(uint64_t count) {
  return segments().take(count, [this](const RingSegments::Mark& mark) { mark_reachable(mark); });
}

// With both ends' mutexes held.
void Ring::mark_reachable(const RingSegments::Mark& mark) const {
  const uint64_t tail = header()->tail.count.load(std::memory_order_relaxed);
  const uint64_t head = header()->head.count.load(std::memory_order_relaxed);
  mark({segment_of(header()->tail.positions[tail & 1]), 1});
  RingPosition position = header()->head.positions[head & 1];
  mark({segment_of(position), 1});
  for (uint64_t left = tail - head; left > 0;) {
    const auto* record = reinterpret_cast<const RingRecord*>(at(position));
    const uint32_t kind = record->kind & ~kWithDescriptors;
    if (kind == kRecordNext) {
      position = position_of(record->size, 0);
      mark({segment_of(position), 1});
      continue;
    }
    const uint64_t room = sizeof(RingRecord) + serial_room((record->kind & kWithDescriptors) != 0);
    if (kind == kRecordElsewhere) {
      RingReference reference;
      std::memcpy(&reference, at(position) + room, sizeof(reference));
      mark({reference.first, static_cast<uint32_t>(std::max<uint64_t>(1, segments().needed(reference.size)))});
    }
    position += room + round_up(record->size, 8);
    --left;
  }
}

}  // namespace mp::ipc
