// Readers of native arguments. TypeScript has checked values and ranges already; these keep C++ memory-safe.
#pragma once

#include <napi.h>

#include <span>
#include <string>

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

// The bytes of a Uint8Array (or Buffer), valid during the call.
inline std::span<uint8_t> bytes_arg(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "expected a Uint8Array");
  auto bytes = info[index].As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

// The elements of an Int32Array, valid during the call; none when it is detached.
inline std::span<int32_t> ints_arg(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsTypedArray() || info[index].As<Napi::TypedArray>().TypedArrayType() != napi_int32_array) {
    throw Napi::TypeError::New(info.Env(), "expected an Int32Array");
  }
  auto ints = info[index].As<Napi::Int32Array>();
  return {ints.Data(), ints.ElementLength()};
}

}  // namespace mp::binding
