#include "sys/clock.h"

#include <algorithm>
#include <climits>

namespace mp::sys {

namespace {
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerS = 1'000'000'000;
}  // namespace

Deadline monotonic_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNsPerS + now.tv_nsec;
}

Deadline deadline_after(double milliseconds) {
  if (milliseconds < 0) return kForever;
  const Deadline now = monotonic_now();
  const double span = milliseconds * kNsPerMs;
  if (span >= static_cast<double>(kForever - now)) return kForever;
  return now + static_cast<int64_t>(span);
}

timespec to_timespec(Deadline deadline) {
  return {.tv_sec = static_cast<time_t>(deadline / kNsPerS), .tv_nsec = static_cast<long>(deadline % kNsPerS)};
}

int poll_timeout(Deadline deadline) {
  if (deadline == kForever) return -1;
  const int64_t left = deadline - monotonic_now();
  if (left <= 0) return 0;
  return static_cast<int>(std::min<int64_t>((left + kNsPerMs - 1) / kNsPerMs, INT_MAX));
}

}  // namespace mp::sys
