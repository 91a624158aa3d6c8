#include "sys/sleep.h"

namespace mp::sys {

Status sleep_until(Deadline deadline) {
  const timespec until = to_timespec(deadline);
  int failed;
  // An absolute time, so that a restart after a signal does not start over. It returns its error, errno stays.
  do {
    failed = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
  } while (failed == EINTR);
  if (failed != 0) return Error{failed, "clock_nanosleep"};
  return done();
}

}  // namespace mp::sys
