// Other processes: waiting for children by pid and by pidfd, signals by pidfd.
#include <napi.h>

#include <optional>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/child_wait.h"
#include "sys/process_fd.h"

namespace mp::binding {

namespace {

const char* name_of(sys::ChildState state) {
  switch (state) {
    case sys::ChildState::kExited:
      return "exited";
    case sys::ChildState::kKilled:
      return "killed";
    case sys::ChildState::kStopped:
      return "stopped";
    case sys::ChildState::kContinued:
      return "continued";
  }
  return "";
}

// { pid, state, value } or undefined
Napi::Value to_js(Napi::Env env, const std::optional<sys::ChildChange>& change) {
  if (!change) return env.Undefined();
  Napi::Object object = Napi::Object::New(env);
  object.Set("pid", static_cast<int>(change->pid));
  object.Set("state", name_of(change->state));
  object.Set("value", change->value);
  return object;
}

// waitpid(pid: number, options: number)
Napi::Value Waitpid(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), unwrap(info.Env(), sys::wait_for_pid(int_arg(info, 0), int_arg(info, 1))));
}

// waitidPidfd(pidfd: number, options: number)
Napi::Value WaitidPidfd(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), unwrap(info.Env(), sys::wait_for_pidfd(int_arg(info, 0), int_arg(info, 1))));
}

// pidfdOpen(pid: number): number; the caller owns the descriptor
Napi::Value PidfdOpen(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::open_pidfd(int_arg(info, 0))).release());
}

// pidfdSendSignal(pidfd: number, signal: number)
Napi::Value PidfdSendSignal(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::send_signal_to_pidfd(int_arg(info, 0), int_arg(info, 1)));
}

}  // namespace

void init_wait(Napi::Env env, Napi::Object exports) {
  export_function<Waitpid>(env, exports, "waitpid");
  export_function<WaitidPidfd>(env, exports, "waitidPidfd");
  export_function<PidfdOpen>(env, exports, "pidfdOpen");
  export_function<PidfdSendSignal>(env, exports, "pidfdSendSignal");
}

}  // namespace mp::binding
