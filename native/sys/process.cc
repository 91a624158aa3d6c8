#include "sys/process.h"

#include <sys/stat.h>
#include <unistd.h>

namespace mp::sys {

pid_t process_id() { return getpid(); }

pid_t parent_process_id() { return getppid(); }

Result<pid_t> start_session() {
  const pid_t session = setsid();
  if (session == -1) return last_error("setsid");
  return session;
}

mode_t set_file_mode_mask(mode_t mask) { return umask(mask); }

void exit_at_once(int code) { _exit(code); }

}  // namespace mp::sys
