// Changes of state of child processes. Known pids and pidfds: waiting for "any child" (-1) would take the children of
// libuv and of everybody else in the process.
#pragma once

#include <sys/types.h>

#include <optional>

#include "sys/result.h"

namespace mp::sys {

enum class ChildState { kExited, kKilled, kStopped, kContinued };

struct ChildChange {
  pid_t pid;
  ChildState state;
  int value;  // kExited: the exit code; else the number of the signal that killed, stopped or continued it
};

// The next change of the child `pid` (or of any child in the sense of waitpid(2)); nullopt when WNOHANG found none.
// Restarts on EINTR. ECHILD: not a child, or reaped already.
Result<std::optional<ChildChange>> wait_for_pid(pid_t pid, int options);

// The same for the child behind a pidfd, by waitid(2): `options` says what to wait for (WEXITED | ...), and WNOWAIT
// leaves the child waitable. nullopt also when a pidfd opened with PIDFD_NONBLOCK would block.
Result<std::optional<ChildChange>> wait_for_pidfd(int pidfd, int options);

}  // namespace mp::sys
