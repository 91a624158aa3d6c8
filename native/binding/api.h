// One registration function per *_api.cc; module.cc calls them all.
#pragma once

#include <napi.h>

namespace mp::binding {

void init_descriptor(Napi::Env env, Napi::Object exports);
void init_frame(Napi::Env env, Napi::Object exports);
void init_lane(Napi::Env env, Napi::Object exports);
void init_limits(Napi::Env env, Napi::Object exports);
void init_lock(Napi::Env env, Napi::Object exports);
void init_locking(Napi::Env env, Napi::Object exports);
void init_memory(Napi::Env env, Napi::Object exports);
void init_name_registry(Napi::Env env, Napi::Object exports);
void init_poller(Napi::Env env, Napi::Object exports);
void init_process(Napi::Env env, Napi::Object exports);
void init_adopted_memory(Napi::Env env, Napi::Object exports);
void init_region(Napi::Env env, Napi::Object exports);
void init_ring(Napi::Env env, Napi::Object exports);
void init_semaphore(Napi::Env env, Napi::Object exports);
void init_socket(Napi::Env env, Napi::Object exports);
void init_wait(Napi::Env env, Napi::Object exports);
void init_wait_room(Napi::Env env, Napi::Object exports);

template <auto Callback>
void export_function(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<Callback>(env, name));
}

}  // namespace mp::binding
