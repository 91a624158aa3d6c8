// Memory of the library's own as an ArrayBuffer, told at once when V8 finds that nobody uses it any more. Node-API's
// external ArrayBuffers tell in a later turn of the event loop, which a loop that blocks never reaches, and can't be
// transferred to a Worker; so the making of one is the fork addon's, which has V8's headers. Where that is missing,
// memory is copied instead.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>

#include "ipc/kept_messages.h"

namespace mp::binding {

// What is to be done with the memory: on any thread, or never, when the process ends before.
using ReleaseMemory = void (*)(void* data, size_t length, void* hint);
using AdoptMemory = napi_value (*)(napi_env env, void* data, size_t length, ReleaseMemory release, void* hint);

// Of this environment; nullptr where there is none.
AdoptMemory adopter_of(Napi::Env env);
const std::shared_ptr<ipc::KeptMessages>& kept_messages_of(Napi::Env env);

}  // namespace mp::binding
