#include "sys/file_lock.h"

#include <fcntl.h>
#include <unistd.h>

namespace mp::sys {

namespace {

struct flock one_byte(int64_t offset) {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = offset;
  range.l_len = 1;
  return range;
}

}  // namespace

Result<bool> try_lock_byte(int fd, int64_t offset) {
  struct flock range = one_byte(offset);
  if (fcntl(fd, F_OFD_SETLK, &range) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return last_error("fcntl");
}

Status lock_byte(int fd, int64_t offset) {
  struct flock range = one_byte(offset);
  return check(retry_eintr([&] { return fcntl(fd, F_OFD_SETLKW, &range); }), "fcntl");
}

Result<bool> is_byte_locked(int fd, int64_t offset) {
  struct flock range = one_byte(offset);
  if (fcntl(fd, F_OFD_GETLK, &range) == -1) return last_error("fcntl");
  return range.l_type != F_UNLCK;
}

}  // namespace mp::sys
