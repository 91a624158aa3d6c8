// CLOCK_MONOTONIC instants and the deadlines made of them. A step of the wall clock changes nothing.
#pragma once

#include <cstdint>
#include <ctime>

namespace mp::sys {

// An absolute CLOCK_MONOTONIC instant in nanoseconds; kForever never comes.
using Deadline = int64_t;
inline constexpr Deadline kForever = INT64_MAX;

Deadline monotonic_now();

// The deadline `milliseconds` from now: negative waits for ever, 0 is already over.
Deadline deadline_after(double milliseconds);

timespec to_timespec(Deadline deadline);

// What is left until `deadline` in poll(2)'s form: -1 for ever, else milliseconds rounded up, never negative.
int poll_timeout(Deadline deadline);

}  // namespace mp::sys
