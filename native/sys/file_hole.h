// Gives the space of a part of a file back, its length and mappings untouched. fallocate(2)
#pragma once

#include <cstdint>

#include "sys/result.h"

namespace mp::sys {

// The range reads as zeros afterwards and takes no space, as far as it covers whole pages. On a memory file that is
// memory returned to the system, whoever has it mapped.
Status punch_hole(int fd, int64_t offset, int64_t length);

}  // namespace mp::sys
