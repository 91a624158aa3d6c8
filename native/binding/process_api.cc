// The process itself: identity, end, signals by pid, sleep, attributes that prctl(2) reaches.
#include <napi.h>

#include <string>
#include <vector>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/clock.h"
#include "sys/process.h"
#include "sys/process_attributes.h"
#include "sys/signals.h"
#include "sys/sleep.h"
#include "sys/spawn.h"

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

// Strings as exec(2) takes them: pointers, the last one null.
class StringVector {
 public:
  explicit StringVector(const Napi::Value& value) {
    const auto array = value.As<Napi::Array>();
    for (uint32_t index = 0; index < array.Length(); ++index) {
      strings_.push_back(array.Get(index).As<Napi::String>().Utf8Value());
    }
    for (std::string& string : strings_) pointers_.push_back(string.data());
    pointers_.push_back(nullptr);
  }
  char* const* data() { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

// spawn(file: string, arguments: string[], environment: string[], directory: string | undefined,
//       descriptors: Int32Array of from, to): {pid, pidfd}
Napi::Value Spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string file = string_arg(info, 0);
  StringVector arguments(info[1]), environment(info[2]);
  const std::string directory = info[3].IsUndefined() ? "" : string_arg(info, 3);
  const auto numbers = ints_arg(info, 4);
  std::vector<sys::PassedFd> descriptors;
  for (size_t at = 0; at + 1 < numbers.size(); at += 2) descriptors.push_back({numbers[at], numbers[at + 1]});
  sys::Spawned spawned = unwrap(env, sys::spawn({
                                         .file = file.c_str(),
                                         .arguments = arguments.data(),
                                         .environment = environment.data(),
                                         .directory = directory.empty() ? nullptr : directory.c_str(),
                                         .descriptors = descriptors,
                                     }));
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", spawned.pid);
  result.Set("pidfd", spawned.pidfd.release());
  return result;
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
  export_function<Spawn>(env, exports, "spawn");
}

}  // namespace mp::binding
