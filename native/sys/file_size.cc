#include "sys/file_size.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mp::sys {

Result<int64_t> file_size(int fd) {
  struct stat status;
  if (fstat(fd, &status) == -1) return last_error("fstat");
  return status.st_size;
}

Result<uint64_t> file_inode(int fd) {
  struct stat status;
  if (fstat(fd, &status) == -1) return last_error("fstat");
  return status.st_ino;
}

Status set_file_size(int fd, int64_t size) {
  return check(retry_eintr([&] { return ftruncate(fd, size); }), "ftruncate");
}

Status reserve_file_space(int fd, int64_t offset, int64_t length) {
  // It returns its error, errno stays. On tmpfs a signal undoes what was reserved so far.
  int failed;
  do {
    failed = posix_fallocate(fd, offset, length);
  } while (failed == EINTR);
  if (failed != 0) return Error{failed, "posix_fallocate"};
  return done();
}

}  // namespace mp::sys
