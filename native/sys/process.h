// Who this process is, and its abrupt end. getpid(2), setsid(2), umask(2), _exit(2)
#pragma once

#include <sys/types.h>

#include "sys/result.h"

namespace mp::sys {

// Always the kernel's answer: right in a forked child too, where Node's process.pid is the parent's.
pid_t process_id();
pid_t parent_process_id();

// Makes the caller leader of a new session and a new process group; the session's id. EPERM: it leads a group already.
Result<pid_t> start_session();

// Sets the mask of permissions that new files lack; the previous mask. It can't fail.
mode_t set_file_mode_mask(mode_t mask);

// Ends the process now: no exit handler runs, no buffer is flushed. Async-signal-safe.
[[noreturn]] void exit_at_once(int code);

}  // namespace mp::sys
