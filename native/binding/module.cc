#include "binding/api.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  mp::binding::init_descriptor(env, exports);
  mp::binding::init_frame(env, exports);
  mp::binding::init_lane(env, exports);
  mp::binding::init_limits(env, exports);
  mp::binding::init_lock(env, exports);
  mp::binding::init_locking(env, exports);
  mp::binding::init_memory(env, exports);
  mp::binding::init_name_registry(env, exports);
  mp::binding::init_poller(env, exports);
  mp::binding::init_process(env, exports);
  mp::binding::init_adopted_memory(env, exports);
  mp::binding::init_region(env, exports);
  mp::binding::init_ring(env, exports);
  mp::binding::init_semaphore(env, exports);
  mp::binding::init_socket(env, exports);
  mp::binding::init_wait(env, exports);
  mp::binding::init_wait_room(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init)
