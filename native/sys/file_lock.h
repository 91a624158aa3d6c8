// Locks on bytes of files that belong to the open file: whoever inherits its descriptor shares them, and they go when
// the last of these is closed, however its process ends. fcntl_locking(2), "Open file description locks"
#pragma once

#include <cstdint>

#include "sys/result.h"

namespace mp::sys {

// Takes the lock of one byte, exclusively; the file must be open for writing. False: another open file has it.
Result<bool> try_lock_byte(int fd, int64_t offset);

// Blocks until it has the lock. Restarted after signals.
Status lock_byte(int fd, int64_t offset);

// Whether another open file has it.
Result<bool> is_byte_locked(int fd, int64_t offset);

}  // namespace mp::sys
