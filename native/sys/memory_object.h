// Memory objects that processes share: by name, or by descriptor alone. shm_overview(7)
#pragma once

#include <sys/types.h>

#include <string>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// shm_open(3), close-on-exec: `flags` are O_RDONLY or O_RDWR, with O_CREAT, O_EXCL and O_TRUNC. A new object has size
// 0.
Result<UniqueFd> open_shared_memory(const std::string& name, int flags, mode_t mode);

// Removes the name; the object lives on until nobody has it open or mapped. ENOENT: no such name. shm_unlink(3)
Status unlink_shared_memory(const std::string& name);

// A new file of size 0 in /dev/shm that has no name yet, close-on-exec: it goes with its last descriptor and mapping
// unless name_shared_memory() comes first. EOPNOTSUPP: /dev/shm is no tmpfs. open(2), O_TMPFILE
Result<UniqueFd> make_nameless_object(mode_t mode);

// Gives it its name ('/name'): other processes see the object whole, or not at all. EEXIST. linkat(2)
Status name_shared_memory(int fd, const std::string& name);

// An object without a name in any file system, close-on-exec; `label` only shows in /proc. memfd_create(2)
Result<UniqueFd> make_memory_file(const std::string& label);

}  // namespace mp::sys
