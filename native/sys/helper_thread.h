// Threads of the library's own. A forked child does not have them.
#pragma once

#include "sys/result.h"

namespace mp::sys {

// Runs `body(argument)` on a new thread that nobody joins, with every signal blocked. Small: 128 KiB of stack, of which
// it takes what it touches. EAGAIN: no more threads.
Status start_helper_thread(void (*body)(void*), void* argument);

}  // namespace mp::sys
