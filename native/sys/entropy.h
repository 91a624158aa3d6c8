// getrandom(2): the kernel's generator, which no two processes draw the same from.
#pragma once

#include <cstdint>
#include <span>

#include "sys/result.h"

namespace mp::sys {

// Fills all of `bytes`; blocks at most until the kernel's pool has been seeded once after boot.
Status fill_random(std::span<uint8_t> bytes);

}  // namespace mp::sys
