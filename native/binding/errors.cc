#include "binding/errors.h"

#include <uv.h>

#include <array>
#include <cstring>
#include <string>

namespace mp::binding {

namespace {

struct Words {
  std::string name;
  std::string description;
};

// Node's, that is libuv's; glibc's for what libuv has no name for: ECHILD, ENOLCK, EDEADLK, EOWNERDEAD, ...
Words words_for(int number) {
  std::array<char, 64> name{};
  std::array<char, 128> description{};
  uv_err_name_r(-number, name.data(), name.size());
  uv_strerror_r(-number, description.data(), description.size());
  const char* own_name = strerrorname_np(number);
  const bool known = std::strncmp(name.data(), "Unknown", std::strlen("Unknown")) != 0;
  if (known || own_name == nullptr) return {name.data(), description.data()};
  return {own_name, strerrordesc_np(number)};
}

}  // namespace

Napi::Error system_error(Napi::Env env, sys::Error error) {
  const Words words = words_for(error.number);
  const Napi::Error thrown = Napi::Error::New(env, words.name + ": " + words.description + ", " + error.syscall);
  Napi::Object properties = thrown.Value();
  properties.Set("errno", -error.number);
  properties.Set("code", words.name);
  properties.Set("syscall", error.syscall);
  return thrown;
}

}  // namespace mp::binding
