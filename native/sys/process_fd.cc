#include "sys/process_fd.h"

#include <sys/syscall.h>

namespace mp::sys {

// By number: glibc wraps both since 2.36 only.

Result<UniqueFd> open_pidfd(pid_t pid) {
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return last_error("pidfd_open");
  return pidfd;
}

Status send_signal_to_pidfd(int pidfd, int signal) {
  return check(static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0)), "pidfd_send_signal");
}

}  // namespace mp::sys
