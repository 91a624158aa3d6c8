// Which processor time a process gets, and where. On Linux both are attributes of a thread: id 0 and a pid mean one
// thread (the caller, the main thread), and threads that exist already keep theirs.
#pragma once

#include <sys/types.h>

#include <vector>

#include "sys/result.h"

namespace mp::sys {

// The nice value, -20 to 19, lowest of those that PRIO_PROCESS, PRIO_PGRP or PRIO_USER and `who` select. getpriority(2)
Result<int> priority(int which, id_t who);
Status set_priority(int which, id_t who, int value);

inline constexpr size_t kFirstCpuGuess = 1024;

// The processors that the thread may run on, ascending. The kernel refuses a mask shorter than its own: this
// begins with room for `guess` processors and doubles. sched_getaffinity(2)
Result<std::vector<int>> affinity(pid_t pid, size_t guess = kFirstCpuGuess);

// Numbers that the machine does not have are ignored. EINVAL: none is left.
Status set_affinity(pid_t pid, const std::vector<int>& cpus);

}  // namespace mp::sys
