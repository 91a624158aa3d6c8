#include "sys/futex_many.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>

namespace mp::sys {

namespace {

#ifdef SYS_futex_waitv
constexpr long kFutexWaitv = SYS_futex_waitv;
#else
constexpr long kFutexWaitv = 449;  // the same on all architectures
#endif
constexpr uint32_t kFutex32 = 2;

// As the kernel has it; older headers have not.
struct Waiter {
  uint64_t expected;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

}  // namespace

Status wait_for_any(std::span<const WatchedWord> words) {
  std::array<Waiter, kMostWatchedWords> waiters;
  for (size_t i = 0; i < words.size(); ++i) {
    waiters[i] = {words[i].expected, reinterpret_cast<uintptr_t>(words[i].word), kFutex32, 0};
  }
  if (syscall(kFutexWaitv, waiters.data(), words.size(), 0, nullptr, CLOCK_MONOTONIC) != -1) return done();
  if (errno == EAGAIN || errno == EINTR) return done();
  // EPERM: a container's filter that does not know the call.
  if (errno != ENOSYS && errno != EPERM) return last_error("futex_waitv");
  const timespec pause{0, 5'000'000};
  static_cast<void>(clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr));
  return done();
}

}  // namespace mp::sys
