// A process in 32 bits, for words of shared memory that say who holds what.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "sys/result.h"

namespace mp::ipc {

// The pid (22 bits: PID_MAX_LIMIT of the kernel) below the low 10 bits of its start time in clock ticks.
using ProcessToken = uint32_t;
inline constexpr ProcessToken kNobody = 0;

// The caller's: of this very process, also in a forked child.
sys::Result<ProcessToken> own_token();

pid_t pid_of(ProcessToken token);

// Whether the process has ended for certain: reaped, a zombie, or its pid is another process's by now. When it can't be
// known the answer is no. Of 1,024 reuses of a pid one has the same low bits of its start time and passes for life:
// then who waits for it waits until that process has ended too; the other way round it never errs. Only for tokens of
// the caller's own PID namespace.
bool is_dead(ProcessToken token);

}  // namespace mp::ipc
