// Sixteen bytes of shared memory that change all at once.
#pragma once

#include <atomic>
#include <cstdint>

namespace mp::ipc {

struct alignas(16) DoubleWord {
  uint64_t low;
  uint64_t high;
};

// Each half on its own: together they may never have been there. compare_exchange() tells.
inline DoubleWord load_halves(DoubleWord& word) {
  const uint64_t low = std::atomic_ref(word.low).load(std::memory_order_acquire);
  return {low, std::atomic_ref(word.high).load(std::memory_order_acquire)};
}

// True: `word` was `expected` and is `desired` now. A full barrier. By hand on x86-64, because compilers call libatomic
// for it, which may take a lock that other processes do not know of.
inline bool compare_exchange(DoubleWord& word, DoubleWord expected, DoubleWord desired) {
#if defined(__x86_64__)
  bool exchanged;
  asm volatile("lock cmpxchg16b %1"
               : "=@ccz"(exchanged), "+m"(word), "+a"(expected.low), "+d"(expected.high)
               : "b"(desired.low), "c"(desired.high)
               : "memory");
  return exchanged;
#else
  const auto whole = [](DoubleWord value) { return static_cast<unsigned __int128>(value.high) << 64 | value.low; };
  return __sync_bool_compare_and_swap(reinterpret_cast<unsigned __int128*>(&word), whole(expected), whole(desired));
#endif
}

}  // namespace mp::ipc
