// Programs that outlive the process that starts them. posix_spawn(3)
#pragma once

#include <string>
#include <vector>

#include "sys/result.h"

namespace mp::sys {

// Runs the program in a session of its own, its standard streams on /dev/null, its environment empty, no signal
// blocked. `arguments` begins with its name. Blocks until it has ended, which it is to do as soon as a child of its own
// goes on instead: that one is nobody's child here. The exit code; -s when signal s ended it.
Result<int> run_detached(const std::string& file, const std::vector<std::string>& arguments);

}  // namespace mp::sys
