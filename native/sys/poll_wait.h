// poll(2) with a deadline.
#pragma once

#include <poll.h>

#include <span>

#include "sys/clock.h"
#include "sys/result.h"

namespace mp::sys {

// How many of them are ready, their `revents` set; 0 when the time is up. Restarts on EINTR.
Result<int> poll_until(std::span<pollfd> fds, Deadline deadline);

}  // namespace mp::sys
