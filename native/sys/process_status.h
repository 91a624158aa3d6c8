// What the kernel tells about a process. proc_pid_stat(5)
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "sys/result.h"

namespace mp::sys {

struct ProcessStatus {
  char state;           // 'R', 'S', …; 'Z' of a process that has ended and is not reaped
  int threads;          // a zombie that still runs some has lost its main thread only
  uint64_t start_time;  // clock ticks since boot: with the pid it names one process for good
};

// ENOENT, ESRCH: no such process, or none that may be seen.
Result<ProcessStatus> process_status(pid_t pid);

// The number of the caller's PID namespace: pids mean something among processes of the same one. pid_namespaces(7)
Result<uint64_t> pid_namespace();

}  // namespace mp::sys
