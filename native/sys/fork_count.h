// How often this process has forked. pthread_atfork(3)
#pragma once

#include <cstdint>

namespace mp::sys {

// Counts from the first call on, whoever forks by fork(3).
uint32_t fork_count();

}  // namespace mp::sys
