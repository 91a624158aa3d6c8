// What a process may consume: resource limits, priority, processors.
#include <napi.h>

#include <cmath>
#include <limits>
#include <vector>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/resource_limits.h"
#include "sys/scheduling.h"

namespace mp::binding {

namespace {

// RLIM_INFINITY is Infinity. Above 2**53 the number is the nearest double.
constexpr double kTwoTo64 = 18446744073709551616.0;

double to_number(rlim_t limit) {
  const auto number = static_cast<double>(limit);
  return number >= kTwoTo64 ? std::numeric_limits<double>::infinity() : number;
}

rlim_t to_limit(double number) { return number >= kTwoTo64 ? RLIM_INFINITY : static_cast<rlim_t>(number); }

// getrlimit(resource: number): { soft, hard }
Napi::Value Getrlimit(const Napi::CallbackInfo& info) {
  const rlimit limits = unwrap(info.Env(), sys::resource_limits(int_arg(info, 0)));
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("soft", to_number(limits.rlim_cur));
  object.Set("hard", to_number(limits.rlim_max));
  return object;
}

// setrlimit(resource: number, soft: number, hard: number)
Napi::Value Setrlimit(const Napi::CallbackInfo& info) {
  const rlimit limits{.rlim_cur = to_limit(number_arg(info, 1)), .rlim_max = to_limit(number_arg(info, 2))};
  return unwrap_status(info.Env(), sys::set_resource_limits(int_arg(info, 0), limits));
}

// getpriority(which: number, who: number): number
Napi::Value Getpriority(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::priority(int_arg(info, 0), uint_arg(info, 1))));
}

// setpriority(which: number, who: number, priority: number)
Napi::Value Setpriority(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_priority(int_arg(info, 0), uint_arg(info, 1), int_arg(info, 2)));
}

// schedGetAffinity(pid: number): number[]
Napi::Value SchedGetAffinity(const Napi::CallbackInfo& info) {
  const std::vector<int> cpus = unwrap(info.Env(), sys::affinity(int_arg(info, 0)));
  Napi::Array array = Napi::Array::New(info.Env(), cpus.size());
  for (size_t i = 0; i < cpus.size(); ++i) array.Set(static_cast<uint32_t>(i), cpus[i]);
  return array;
}

// schedSetAffinity(pid: number, cpus: Int32Array)
Napi::Value SchedSetAffinity(const Napi::CallbackInfo& info) {
  const auto cpus = ints_arg(info, 1);
  return unwrap_status(info.Env(), sys::set_affinity(int_arg(info, 0), {cpus.begin(), cpus.end()}));
}

}  // namespace

void init_limits(Napi::Env env, Napi::Object exports) {
  export_function<Getrlimit>(env, exports, "getrlimit");
  export_function<Setrlimit>(env, exports, "setrlimit");
  export_function<Getpriority>(env, exports, "getpriority");
  export_function<Setpriority>(env, exports, "setpriority");
  export_function<SchedGetAffinity>(env, exports, "schedGetAffinity");
  export_function<SchedSetAffinity>(env, exports, "schedSetAffinity");
}

}  // namespace mp::binding
