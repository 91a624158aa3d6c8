#include "sys/file_hole.h"

#include <fcntl.h>
#include <linux/falloc.h>

namespace mp::sys {

Status punch_hole(int fd, int64_t offset, int64_t length) {
  const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return check(retry_eintr([&] { return fallocate(fd, mode, offset, length); }), "fallocate");
}

}  // namespace mp::sys
