#include "sys/child_wait.h"

#include <sys/wait.h>

namespace mp::sys {

namespace {

// glibc has P_PIDFD since 2.36 only.
constexpr auto kPidfd = static_cast<idtype_t>(3);

ChildChange from_status(pid_t pid, int status) {
  if (WIFEXITED(status)) return {pid, ChildState::kExited, WEXITSTATUS(status)};
  if (WIFSIGNALED(status)) return {pid, ChildState::kKilled, WTERMSIG(status)};
  if (WIFSTOPPED(status)) return {pid, ChildState::kStopped, WSTOPSIG(status)};
  return {pid, ChildState::kContinued, SIGCONT};
}

ChildState state_of(int si_code) {
  switch (si_code) {
    case CLD_EXITED:
      return ChildState::kExited;
    case CLD_KILLED:
    case CLD_DUMPED:
      return ChildState::kKilled;
    case CLD_CONTINUED:
      return ChildState::kContinued;
    default:  // CLD_STOPPED, CLD_TRAPPED
      return ChildState::kStopped;
  }
}

}  // namespace

Result<std::optional<ChildChange>> wait_for_pid(pid_t pid, int options) {
  int status = 0;
  const pid_t changed = retry_eintr([&] { return waitpid(pid, &status, options); });
  if (changed == -1) return last_error("waitpid");
  if (changed == 0) return std::optional<ChildChange>();
  return std::optional(from_status(changed, status));
}

Result<std::optional<ChildChange>> wait_for_pidfd(int pidfd, int options) {
  siginfo_t change{};  // si_pid stays 0 when there is nothing to report: waitid(2)
  const int failed = retry_eintr([&] { return waitid(kPidfd, static_cast<id_t>(pidfd), &change, options); });
  if (failed == -1 && errno != EAGAIN) return last_error("waitid");
  if (failed == -1 || change.si_pid == 0) return std::optional<ChildChange>();
  return std::optional(ChildChange{change.si_pid, state_of(change.si_code), change.si_status});
}

}  // namespace mp::sys
