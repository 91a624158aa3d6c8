// eventfd(2)
#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// `flags` as eventfd(2) has them; close-on-exec in any case.
Result<UniqueFd> make_event_fd(unsigned initial, int flags);

// Adds one: the descriptor polls readable.
Status ring_event_fd(int fd);

// Takes everything out: it is readable no more. Only for a non-blocking one.
Status silence_event_fd(int fd);

}  // namespace mp::sys
