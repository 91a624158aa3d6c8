// Advisory locks on open files.
#pragma once

#include "sys/result.h"

namespace mp::sys {

// flock(2) with LOCK_SH, LOCK_EX or LOCK_UN, each | LOCK_NB. The lock belongs to the open file description: duplicates
// and forked children share it. False when LOCK_NB found it held elsewhere. Restarts on EINTR.
Result<bool> lock_file(int fd, int operation);

}  // namespace mp::sys
