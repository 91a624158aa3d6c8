// How long an open file is, that its space is really there, and which file it is.
#pragma once

#include <cstdint>

#include "sys/result.h"

namespace mp::sys {

// fstat(2)
Result<int64_t> file_size(int fd);

// What tells the file from all others of its file system for as long as it exists. fstat(2)
Result<uint64_t> file_inode(int fd);

// Cuts or extends the file; new bytes are zero and take no space yet. ftruncate(2)
Status set_file_size(int fd, int64_t size);

// Makes the file at least offset + length long and reserves the space of this range: writing there can't run out of
// it. On shared memory that is what keeps SIGBUS away. ENOSPC: nothing was reserved. posix_fallocate(3)
Status reserve_file_space(int fd, int64_t offset, int64_t length);

}  // namespace mp::sys
