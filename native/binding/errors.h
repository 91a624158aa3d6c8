// System errors in Node's own shape, and the one place of the binding that throws them.
#pragma once

#include <napi.h>

#include <utility>

#include "sys/result.h"

namespace mp::binding {

// An Error with `code` ('EEXIST'), `errno` (negative) and `syscall`, its message as Node words it.
Napi::Error system_error(Napi::Env env, sys::Error error);

// The value of a result, or its error thrown.
template <typename T>
T unwrap(Napi::Env env, sys::Result<T>&& result) {
  if (!result.ok()) throw system_error(env, result.error());
  return std::move(result).value();
}

inline Napi::Value unwrap_status(Napi::Env env, sys::Status&& status) {
  unwrap(env, std::move(status));
  return env.Undefined();
}

}  // namespace mp::binding
