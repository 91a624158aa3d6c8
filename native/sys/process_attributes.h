// Attributes of the calling process and thread that only prctl(2) reaches. Options are typed here because a wrong
// argument of the pointer-taking ones would corrupt memory.
#pragma once

#include <string>

#include "sys/result.h"

namespace mp::sys {

// The signal this process gets when the thread that created it ends; 0 for none. A fork clears it. A parent that has
// ended before the call goes unnoticed: compare getppid after it.
Status set_parent_death_signal(int signal);
Result<int> parent_death_signal();

// Whether orphaned descendants become this process's children instead of init's. Not inherited by fork.
Status set_child_subreaper(bool enabled);
Result<bool> child_subreaper();

// The calling thread's name (the process's, on the main thread); the kernel keeps the first 15 bytes.
Status set_thread_name(const std::string& name);
Result<std::string> thread_name();

// Options whose argument and result are plain integers, such as PR_GET_DUMPABLE. Never one that takes an address.
Result<int> control_process(int option, unsigned long value);

}  // namespace mp::sys
