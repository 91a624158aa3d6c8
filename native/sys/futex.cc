#include "sys/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace mp::sys {

// FUTEX_WAIT takes a relative time; FUTEX_WAIT_BITSET an absolute one, monotonic unless told otherwise. Neither
// operation has FUTEX_PRIVATE_FLAG: the waiters may be other processes.

Result<FutexOutcome> futex_wait(const uint32_t* word, uint32_t expected, Deadline deadline) {
  const timespec until = to_timespec(deadline);
  const timespec* timeout = deadline == kForever ? nullptr : &until;
  const auto outcome = retry_eintr(
      [&] { return syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, timeout, nullptr, FUTEX_BITSET_MATCH_ANY); });
  if (outcome == 0) return FutexOutcome::kWoken;
  if (errno == EAGAIN) return FutexOutcome::kNotEqual;
  if (errno == ETIMEDOUT) return FutexOutcome::kTimedOut;
  return last_error("futex");
}

namespace {

constexpr double kLookMs = 2;

// Wakes that go to other words than the first are not noticed, changes of their values are.
Result<FutexOutcome> look_now_and_then(std::span<const FutexWord> words, Deadline deadline) {
  const auto changed = [](const FutexWord& one) {
    return std::atomic_ref(*const_cast<uint32_t*>(one.word)).load() != one.expected;
  };
  if (std::any_of(words.begin(), words.end(), changed)) return FutexOutcome::kNotEqual;
  return futex_wait(words[0].word, words[0].expected, std::min(deadline, deadline_after(kLookMs)));
}

}  // namespace

Result<FutexOutcome> futex_wait_any(std::span<const FutexWord> words, Deadline deadline) {
  if (words.size() == 1) return futex_wait(words[0].word, words[0].expected, deadline);
  std::array<futex_waitv, kMostFutexWords> entries;
  const auto fill = [](const FutexWord& one) {
    return futex_waitv{
        .val = one.expected, .uaddr = reinterpret_cast<uint64_t>(one.word), .flags = FUTEX_32, .__reserved = 0};
  };
  std::transform(words.begin(), words.end(), entries.begin(), fill);
  const timespec until = to_timespec(deadline);
  const timespec* timeout = deadline == kForever ? nullptr : &until;
  const auto outcome =
      retry_eintr([&] { return syscall(SYS_futex_waitv, entries.data(), words.size(), 0, timeout, CLOCK_MONOTONIC); });
  if (outcome >= 0) return FutexOutcome::kWoken;
  if (errno == EAGAIN) return FutexOutcome::kNotEqual;
  if (errno == ETIMEDOUT) return FutexOutcome::kTimedOut;
  // EPERM: a container's filter that does not know the call.
  if (errno == ENOSYS || errno == EPERM) return look_now_and_then(words, deadline);
  return last_error("futex_waitv");
}

Result<int> futex_wake(const uint32_t* word, int count) {
  const auto woken = syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0);
  if (woken == -1) return last_error("futex");
  return static_cast<int>(woken);
}

}  // namespace mp::sys
