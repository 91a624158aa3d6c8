#include "sys/memory_object.h"

#include <fcntl.h>
#include <sys/mman.h>

namespace mp::sys {

// shm_open(3) sets FD_CLOEXEC itself.
Result<UniqueFd> open_shared_memory(const std::string& name, int flags, mode_t mode) {
  UniqueFd fd(retry_eintr([&] { return shm_open(name.c_str(), flags, mode); }));
  if (!fd.valid()) return last_error("shm_open");
  return fd;
}

Status unlink_shared_memory(const std::string& name) { return check(shm_unlink(name.c_str()), "shm_unlink"); }

Result<UniqueFd> make_memory_file(const std::string& label) {
  UniqueFd fd(memfd_create(label.c_str(), MFD_CLOEXEC));
  if (!fd.valid()) return last_error("memfd_create");
  return fd;
}

}  // namespace mp::sys
