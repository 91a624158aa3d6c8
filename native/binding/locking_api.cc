// The kernel's two plainest ways to wait for another process: futexes and locks on files.
#include <napi.h>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/clock.h"
#include "sys/flock.h"
#include "sys/futex.h"

namespace mp::binding {

namespace {

// The word at `index` of an Int32Array. A detached array has no words.
const uint32_t* word_arg(const Napi::CallbackInfo& info, size_t array_index, size_t word_index) {
  const auto words = ints_arg(info, array_index);
  const uint32_t index = uint_arg(info, word_index);
  if (index >= words.size()) throw Napi::RangeError::New(info.Env(), "index outside the array");
  return reinterpret_cast<const uint32_t*>(&words[index]);
}

const char* name_of(sys::FutexOutcome outcome) {
  switch (outcome) {
    case sys::FutexOutcome::kWoken:
      return "ok";
    case sys::FutexOutcome::kNotEqual:
      return "not-equal";
    case sys::FutexOutcome::kTimedOut:
      return "timed-out";
  }
  return "";
}

// futexWait(words: Int32Array, index: number, expected: number, milliseconds: number); blocks
Napi::Value FutexWait(const Napi::CallbackInfo& info) {
  const uint32_t* word = word_arg(info, 0, 1);
  const sys::Deadline deadline = sys::deadline_after(number_arg(info, 3));
  const auto outcome = unwrap(info.Env(), sys::futex_wait(word, uint_arg(info, 2), deadline));
  return Napi::String::New(info.Env(), name_of(outcome));
}

// futexWake(words: Int32Array, index: number, count: number): number
Napi::Value FutexWake(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::futex_wake(word_arg(info, 0, 1), int_arg(info, 2))));
}

// flock(fd: number, operation: number): boolean; blocks without LOCK_NB
Napi::Value Flock(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), unwrap(info.Env(), sys::lock_file(int_arg(info, 0), int_arg(info, 1))));
}

}  // namespace

void init_locking(Napi::Env env, Napi::Object exports) {
  export_function<FutexWait>(env, exports, "futexWait");
  export_function<FutexWake>(env, exports, "futexWake");
  export_function<Flock>(env, exports, "flock");
}

}  // namespace mp::binding
