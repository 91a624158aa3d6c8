#include "sys/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace mp::sys {

// FUTEX_WAIT takes a relative time; FUTEX_WAIT_BITSET an absolute one, monotonic unless told otherwise. Neither
// operation has FUTEX_PRIVATE_FLAG: the waiters may be other processes.

Result<FutexOutcome> futex_wait(const uint32_t* word, uint32_t expected, Deadline deadline) {
  const timespec until = to_timespec(deadline);
  const timespec* timeout = deadline == kForever ? nullptr : &until;
  const auto outcome = retry_eintr([&] {
    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, timeout, nullptr, FUTEX_BITSET_MATCH_ANY);
  });
  if (outcome == 0) return FutexOutcome::kWoken;
  if (errno == EAGAIN) return FutexOutcome::kNotEqual;
  if (errno == ETIMEDOUT) return FutexOutcome::kTimedOut;
  return last_error("futex");
}

Result<int> futex_wake(const uint32_t* word, int count) {
  const auto woken = syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0);
  if (woken == -1) return last_error("futex");
  return static_cast<int>(woken);
}

}  // namespace mp::sys
