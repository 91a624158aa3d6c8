// A semaphore in shared memory: glibc's sem_t, and what the library keeps right behind it.
//
//   offset  0  uint64  value (low half: what waiters sleep on), number of waiters (high half)
//           8  int32   128: shared between processes
//          12  uint32  glibc: ignored. Here: a mark that changes together with the value
//          32  the library's
//
// glibc can't change that layout: programs of different versions share such files. The mark lies where one 16-byte
// compare-and-exchange reaches it together with the value: a unit is never taken without a name on it, wherever the
// taker is killed.
#pragma once

#include <semaphore.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "ipc/double_word.h"
#include "sys/futex.h"

namespace mp::ipc {

struct SemRecord {
  DoubleWord counts;
  std::byte rest_of_sem_t[16];
  uint32_t epoch;  // of an Event: how often it was set
  uint32_t bound;  // of a BoundedSemaphore; 0: there is none
};

static_assert(sizeof(sem_t) == 32 && offsetof(SemRecord, epoch) == sizeof(sem_t));
static_assert(std::endian::native == std::endian::little, "the halves of glibc's words");
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free && std::atomic_ref<uint32_t>::is_always_lock_free);

inline constexpr uint64_t kOneWaiter = uint64_t{1} << 32;
inline constexpr uint32_t kSharedSemaphore = 128;  // glibc: FUTEX_SHARED

inline uint32_t value_of(DoubleWord counts) { return static_cast<uint32_t>(counts.low); }
inline bool has_waiters(DoubleWord counts) { return counts.low >= kOneWaiter; }
inline uint32_t mark_of(DoubleWord counts) { return static_cast<uint32_t>(counts.high >> 32); }
inline bool is_shared_semaphore(SemRecord& record) {
  return static_cast<uint32_t>(load_halves(record.counts).high) == kSharedSemaphore;
}

// Adds to the value and sets the mark, all at once, however often others change the counts meanwhile. The counts as
// they were, or nothing as soon as `wanted` does not want them.
template <typename Wanted>
std::optional<DoubleWord> change(DoubleWord& counts, Wanted wanted, int64_t units, uint32_t mark) {
  for (;;) {
    const DoubleWord found = load_halves(counts);
    if (!wanted(found)) return std::nullopt;
    const DoubleWord changed{found.low + static_cast<uint64_t>(units),
                             (found.high & 0xffff'ffff) | static_cast<uint64_t>(mark) << 32};
    if (compare_exchange(counts, found, changed)) return found;
  }
}

inline const uint32_t* value_word(const SemRecord& record) {
  return reinterpret_cast<const uint32_t*>(&record.counts.low);
}

// glibc's protocol: sem_post wakes only when there are waiters. One that is killed is counted for good, which costs
// every later post a call in vain.
inline void begin_waiting(SemRecord& record) { std::atomic_ref(record.counts.low).fetch_add(kOneWaiter); }
inline void end_waiting(SemRecord& record) { std::atomic_ref(record.counts.low).fetch_sub(kOneWaiter); }

inline void wake(SemRecord& record, int count) {
  if (has_waiters(load_halves(record.counts))) static_cast<void>(sys::futex_wake(value_word(record), count));
}

// For a waiter that may have been woken and does not take the unit: another shall.
inline void pass_wake_on(SemRecord& record) {
  if (value_of(load_halves(record.counts)) != 0) wake(record, 1);
}

}  // namespace mp::ipc
