// Waiting on a 32-bit word, across processes when the word is in shared memory. futex(2)
#pragma once

#include <cstdint>

#include "sys/clock.h"
#include "sys/result.h"

namespace mp::sys {

enum class FutexOutcome { kWoken, kNotEqual, kTimedOut };

// Blocks while `*word` is `expected` until a wake or the deadline; kNotEqual at once when it is another value. kWoken
// may be spurious: look at the word again. Restarts on EINTR.
Result<FutexOutcome> futex_wait(const uint32_t* word, uint32_t expected, Deadline deadline);

// Wakes up to `count` waiters of the word, in any process; how many were woken.
Result<int> futex_wake(const uint32_t* word, int count);

}  // namespace mp::sys
