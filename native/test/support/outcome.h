// What a test expects of a Result: its value, or the error.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>

#include "sys/result.h"

namespace mp::test {

// The call and its error, "flock: EBADF"; "ok" for a success.
template <typename T>
std::string failure(const sys::Result<T>& result) {
  if (result.ok()) return "ok";
  const char* name = strerrorname_np(result.error().number);
  return std::string(result.error().syscall) + ": " + (name == nullptr ? "?" : name);
}

// The value; ends the test case when there is none.
template <typename T>
T must(sys::Result<T>&& result) {
  INFO(failure(result));
  REQUIRE(result.ok());
  return std::move(result).value();
}

}  // namespace mp::test
