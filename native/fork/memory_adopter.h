// ArrayBuffers over memory of the library's own. See binding/adopted_memory.h.
#pragma once

#include "binding/adopted_memory.h"

namespace mp::fork {

// Gives `data` to a new ArrayBuffer. Collects young garbage first when there is much of such memory in it.
napi_value adopt_memory(napi_env env, void* data, size_t length, binding::ReleaseMemory release, void* hint);

}  // namespace mp::fork
