// Signals sent by process id. A pid may mean another process by the time the signal arrives: process_fd.h has no such
// race.
#pragma once

#include <sys/types.h>

#include "sys/result.h"

namespace mp::sys {

// kill(2): `pid` may be 0 (own group), -1 (all), -n (group n); signal 0 only asks whether the process exists.
Status send_signal(pid_t pid, int signal);

}  // namespace mp::sys
