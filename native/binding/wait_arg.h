// What a native function is to wait for.
#pragma once

#include <napi.h>

#include <memory>

#include "ipc/waitable.h"

namespace mp::binding {

// Four arguments from `index` on, as TypeScript's WaitSpec has them: kind, region, offset, extra; and the process's
// token.
std::unique_ptr<ipc::Waitable> wait_arg(const Napi::CallbackInfo& info, size_t index);

// false: not done; true: done; a number: done, with this detail.
Napi::Value to_js(Napi::Env env, const ipc::Outcome& outcome);

}  // namespace mp::binding
