// The process itself: identity, end, signals by pid, sleep, attributes that prctl(2) reaches.
#include <napi.h>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/clock.h"
#include "sys/process.h"
#include "sys/process_attributes.h"
#include "sys/signals.h"
#include "sys/sleep.h"

namespace mp::binding {

namespace {

Napi::Value GetPid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), sys::process_id()); }

Napi::Value GetParentPid(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sys::parent_process_id());
}

Napi::Value StartSession(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::start_session()));
}

// umask(mask: number): number
Napi::Value Umask(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sys::set_file_mode_mask(static_cast<mode_t>(int_arg(info, 0))));
}

void Exit(const Napi::CallbackInfo& info) { sys::exit_at_once(int_arg(info, 0)); }

// kill(pid: number, signal: number)
Napi::Value Kill(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::send_signal(int_arg(info, 0), int_arg(info, 1)));
}

// nanosleep(milliseconds: number); blocks
Napi::Value Nanosleep(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::sleep_until(sys::deadline_after(number_arg(info, 0))));
}

Napi::Value SetParentDeathSignal(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_parent_death_signal(int_arg(info, 0)));
}

Napi::Value GetParentDeathSignal(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::parent_death_signal()));
}

Napi::Value SetChildSubreaper(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_child_subreaper(bool_arg(info, 0)));
}

Napi::Value GetChildSubreaper(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), unwrap(info.Env(), sys::child_subreaper()));
}

Napi::Value SetThreadName(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_thread_name(string_arg(info, 0)));
}

Napi::Value GetThreadName(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), unwrap(info.Env(), sys::thread_name()));
}

// prctl(option: number, value: number): number; TypeScript lets through only options without addresses
Napi::Value Prctl(const Napi::CallbackInfo& info) {
  const auto value = static_cast<unsigned long>(number_arg(info, 1));
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::control_process(int_arg(info, 0), value)));
}

}  // namespace

void init_process(Napi::Env env, Napi::Object exports) {
  export_function<GetPid>(env, exports, "getpid");
  export_function<GetParentPid>(env, exports, "getppid");
  export_function<StartSession>(env, exports, "setsid");
  export_function<Umask>(env, exports, "umask");
  export_function<Exit>(env, exports, "exit");
  export_function<Kill>(env, exports, "kill");
  export_function<Nanosleep>(env, exports, "nanosleep");
  export_function<SetParentDeathSignal>(env, exports, "setParentDeathSignal");
  export_function<GetParentDeathSignal>(env, exports, "getParentDeathSignal");
  export_function<SetChildSubreaper>(env, exports, "setChildSubreaper");
  export_function<GetChildSubreaper>(env, exports, "getChildSubreaper");
  export_function<SetThreadName>(env, exports, "setThreadName");
  export_function<GetThreadName>(env, exports, "getThreadName");
  export_function<Prctl>(env, exports, "prctl");
}

}  // namespace mp::binding
