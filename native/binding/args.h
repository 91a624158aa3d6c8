// Readers of native arguments. TypeScript has checked values and ranges already; these keep C++ memory-safe.
#pragma once

#include <napi.h>

#include <span>
#include <string>
#include <vector>

#include "sys/unique_fd.h"

namespace mp::binding {

inline int32_t int_arg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Int32Value();
}

inline uint32_t uint_arg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Uint32Value();
}

// For sizes and offsets of files and memory.
inline int64_t int64_arg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().Int64Value();
}

inline double number_arg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::Number>().DoubleValue();
}

inline bool bool_arg(const Napi::CallbackInfo& info, size_t index) { return info[index].As<Napi::Boolean>().Value(); }

inline std::string string_arg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].As<Napi::String>().Utf8Value();
}

// The elements of a typed array of that type, valid during the call; none when it is detached.
template <typename T>
std::span<T> elements_arg(const Napi::CallbackInfo& info, size_t index, napi_typedarray_type type, const char* what) {
  napi_typedarray_type found;
  size_t length;
  void* data;
  const auto status = napi_get_typedarray_info(info.Env(), info[index], &found, &length, &data, nullptr, nullptr);
  if (status != napi_ok || found != type) throw Napi::TypeError::New(info.Env(), what);
  return {static_cast<T*>(data), length};
}

// A Buffer is one, too.
inline std::span<uint8_t> bytes_arg(const Napi::CallbackInfo& info, size_t index) {
  return elements_arg<uint8_t>(info, index, napi_uint8_array, "expected a Uint8Array");
}

inline std::span<int32_t> ints_arg(const Napi::CallbackInfo& info, size_t index) {
  return elements_arg<int32_t>(info, index, napi_int32_array, "expected an Int32Array");
}

// Appends them to an array whose first element counts; what it has no room for is closed.
inline void append_descriptors(std::span<int32_t> place, std::vector<sys::UniqueFd>& fds) {
  for (sys::UniqueFd& each : fds) {
    const auto next = static_cast<size_t>(place[0]) + 1;
    if (next >= place.size()) break;
    place[next] = each.release();
    place[0] += 1;
  }
  fds.clear();
}

}  // namespace mp::binding
