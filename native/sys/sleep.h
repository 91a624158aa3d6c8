// Sleeping on the monotonic clock.
#pragma once

#include "sys/clock.h"
#include "sys/result.h"

namespace mp::sys {

// Blocks the calling thread until the deadline, whatever signal handlers run meanwhile. clock_nanosleep(2)
Status sleep_until(Deadline deadline);

}  // namespace mp::sys
