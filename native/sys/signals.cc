#include "sys/signals.h"

#include <signal.h>

namespace mp::sys {

Status send_signal(pid_t pid, int signal) { return check(kill(pid, signal), "kill"); }

}  // namespace mp::sys
