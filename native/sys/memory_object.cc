#include "sys/memory_object.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mp::sys {

namespace {

// Where glibc keeps memory objects and semaphores. shm_overview(7)
constexpr const char* kDirectory = "/dev/shm";

}  // namespace

// shm_open(3) sets FD_CLOEXEC itself.
Result<UniqueFd> open_shared_memory(const std::string& name, int flags, mode_t mode) {
  UniqueFd fd(retry_eintr([&] { return shm_open(name.c_str(), flags, mode); }));
  if (!fd.valid()) return last_error("shm_open");
  return fd;
}

Status unlink_shared_memory(const std::string& name) { return check(shm_unlink(name.c_str()), "shm_unlink"); }

Result<UniqueFd> make_nameless_object(mode_t mode) {
  UniqueFd fd(retry_eintr([&] { return open(kDirectory, O_TMPFILE | O_RDWR | O_CLOEXEC, mode); }));
  if (!fd.valid()) return last_error("open");
  return fd;
}

// AT_EMPTY_PATH would need a capability: proc(5) tells of this way.
Status name_shared_memory(int fd, const std::string& name) {
  const std::string file = "/proc/self/fd/" + std::to_string(fd);
  return check(linkat(AT_FDCWD, file.c_str(), AT_FDCWD, (kDirectory + name).c_str(), AT_SYMLINK_FOLLOW), "linkat");
}

Result<UniqueFd> make_memory_file(const std::string& label) {
  UniqueFd fd(memfd_create(label.c_str(), MFD_CLOEXEC));
  if (!fd.valid()) return last_error("memfd_create");
  return fd;
}

}  // namespace mp::sys
