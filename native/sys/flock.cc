#include "sys/flock.h"

#include <sys/file.h>

namespace mp::sys {

Result<bool> lock_file(int fd, int operation) {
  if (retry_eintr([&] { return flock(fd, operation); }) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return last_error("flock");
}

}  // namespace mp::sys
