// Descriptors that stand for a process: no reuse of a pid can redirect them, and they poll readable at its end.
#pragma once

#include <sys/types.h>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// pidfd_open(2), close-on-exec. ESRCH: no such process. A zombie still has one.
Result<UniqueFd> open_pidfd(pid_t pid);

// pidfd_send_signal(2). ESRCH: the process has ended and been reaped.
Status send_signal_to_pidfd(int pidfd, int signal);

}  // namespace mp::sys
