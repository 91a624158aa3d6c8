// Methods of numbers and booleans that return a number, without what node-addon-api does for each call: it is a third
// of the time of a small message.
#pragma once

#include <napi.h>

#include <cstddef>
#include <tuple>
#include <utility>

namespace mp::binding {

inline bool read_arg(napi_env env, napi_value value, uint32_t& number) {
  return napi_get_value_uint32(env, value, &number) == napi_ok;
}
inline bool read_arg(napi_env env, napi_value value, bool& flag) {
  return napi_get_value_bool(env, value, &flag) == napi_ok;
}

template <auto Method>
struct QuickMethod;

template <typename T, typename... Args, double (T::*Method)(Napi::Env, Args...)>
struct QuickMethod<Method> {
  static Napi::ClassPropertyDescriptor<T> named(const char* name) {
    return Napi::ClassPropertyDescriptor<T>(
        napi_property_descriptor{name, nullptr, call, nullptr, nullptr, nullptr, napi_default_method, nullptr});
  }

 private:
  static napi_value call(napi_env env, napi_callback_info info) {
    napi_value self = nullptr;
    napi_value values[sizeof...(Args) + 1];
    size_t count = sizeof...(Args);
    void* object = nullptr;
    std::tuple<Args...> args;
    if (napi_get_cb_info(env, info, &count, values, &self, nullptr) != napi_ok ||
        napi_unwrap(env, self, &object) != napi_ok ||
        !read_all(env, values, args, std::index_sequence_for<Args...>())) {
      napi_throw_type_error(env, nullptr, "expected numbers and booleans");
      return nullptr;
    }
    napi_value result = nullptr;
    try {
      const auto method = [&](Args... each) { return (static_cast<T*>(object)->*Method)(Napi::Env(env), each...); };
      napi_create_double(env, std::apply(method, args), &result);
    } catch (const Napi::Error& error) {
      error.ThrowAsJavaScriptException();
    }
    return result;
  }

  template <size_t... Index>
  static bool read_all([[maybe_unused]] napi_env env, [[maybe_unused]] napi_value* values,
                       [[maybe_unused]] std::tuple<Args...>& args, std::index_sequence<Index...>) {
    return (read_arg(env, values[Index], std::get<Index>(args)) && ...);
  }
};

}  // namespace mp::binding
