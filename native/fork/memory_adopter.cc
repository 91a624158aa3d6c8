#include "fork/memory_adopter.h"

#include <v8.h>

#include <cstring>
#include <utility>

namespace mp::fork {

napi_value adopt_memory(napi_env, void* data, size_t length, binding::ReleaseMemory release, void* hint) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  // V8 looks how much memory young ArrayBuffers have when it makes one, not when it is given one.
  v8::ArrayBuffer::NewBackingStore(isolate, 1);
  auto memory = v8::ArrayBuffer::NewBackingStore(data, length, release, hint);
  const v8::Local<v8::Value> buffer = v8::ArrayBuffer::New(isolate, std::move(memory));
  // As Node's js_native_api_v8.h does.
  napi_value value;
  static_assert(sizeof(value) == sizeof(buffer));
  std::memcpy(&value, &buffer, sizeof(value));
  return value;
}

}  // namespace mp::fork
