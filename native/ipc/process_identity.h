// A process as it is told from all others, in shared memory that says who holds what.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "sys/result.h"

namespace mp::ipc {

struct ProcessIdentity {
  uint64_t start_time;     // clock ticks since boot: with the pid it names one process for good
  uint32_t pid;            // 0: nobody
  uint32_t pid_namespace;  // in which the pid means something
};

// The caller's: of this very process, also in a forked child.
sys::Result<ProcessIdentity> own_identity();

// Whether the process of that pid and start time has ended for certain: reaped, a zombie, or the pid is another
// process's by now. When it can't be known the answer is no. Of the caller's own PID namespace.
bool has_ended(pid_t pid, uint64_t start_time);
// The same; no for a process of another PID namespace.
bool has_ended(const ProcessIdentity& process);

static_assert(sizeof(ProcessIdentity) == 16);

}  // namespace mp::ipc
