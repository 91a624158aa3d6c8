// Waiting on a 32-bit word, across processes when the word is in shared memory. futex(2)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sys/clock.h"
#include "sys/result.h"

namespace mp::sys {

enum class FutexOutcome { kWoken, kNotEqual, kTimedOut };

// Blocks while `*word` is `expected` until a wake or the deadline; kNotEqual at once when it is another value. kWoken
// may be spurious: look at the word again. Restarts on EINTR.
Result<FutexOutcome> futex_wait(const uint32_t* word, uint32_t expected, Deadline deadline);

struct FutexWord {
  const uint32_t* word;
  uint32_t expected;
};

inline constexpr size_t kMostFutexWords = 128;  // FUTEX_WAITV_MAX

// futex_wait() on up to kMostFutexWords words: ends when one of them is woken or is another value than expected. A wake
// of a second one may be lost with it: look at them all. Kernels before 5.16 sleep on the first and look at the others
// every 2 ms. futex_waitv, Documentation/userspace-api/futex2.rst
Result<FutexOutcome> futex_wait_any(std::span<const FutexWord> words, Deadline deadline);

// Wakes up to `count` waiters of the word, in any process; how many were woken.
Result<int> futex_wake(const uint32_t* word, int count);

}  // namespace mp::sys
