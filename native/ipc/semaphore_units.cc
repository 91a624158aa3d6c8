#include "ipc/semaphore_units.h"

#include <climits>

namespace mp::ipc {

uint32_t most_units(SemRecord& record) {
  const uint32_t bound = std::atomic_ref(record.bound).load();
  return bound == 0 ? static_cast<uint32_t>(SEM_VALUE_MAX) : bound;
}

Outcome SemaphoreUnits::attempt(bool) {
  const std::atomic_ref low(record_.counts.low);
  uint64_t found = low.load();
  while (static_cast<uint32_t>(found) != 0) {
    if (low.compare_exchange_weak(found, found - 1)) return {.done = true};
  }
  return {};
}

void SemaphoreUnits::arm(std::span<sys::FutexWord> words) { words[0] = {value_word(record_), 0}; }

bool SemaphoreUnits::release(SemRecord& record, uint32_t units) {
  const std::atomic_ref low(record.counts.low);
  const uint64_t most = most_units(record);
  uint64_t found = low.load();
  do {
    if (static_cast<uint32_t>(found) + uint64_t{units} > most) return false;
  } while (!low.compare_exchange_weak(found, found + units));
  if (found >= kOneWaiter) static_cast<void>(sys::futex_wake(value_word(record), static_cast<int>(units)));
  return true;
}

}  // namespace mp::ipc
