// The outcome of a system call as a value: C++23's std::expected reduced to what the layers above use. Delete it when
// the compiler floor is C++23.
#pragma once

#include <cerrno>
#include <utility>
#include <variant>

namespace mp::sys {

// An errno and the call that set it; `syscall` is a string literal.
struct Error {
  int number;
  const char* syscall;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, error) {}         // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  Error error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

using Unit = std::monostate;
using Status = Result<Unit>;

inline Error last_error(const char* syscall) { return Error{errno, syscall}; }
inline Status done() { return Unit{}; }

// Turns the -1/errno convention into a Status.
inline Status check(int outcome, const char* syscall) {
  if (outcome == -1) return last_error(syscall);
  return done();
}

// Repeats a call that a signal handler interrupted. Never for close(2): the number is free even on EINTR (close(2),
// Linux).
template <typename Call>
auto retry_eintr(Call call) {
  for (;;) {
    auto outcome = call();
    if (outcome != -1 || errno != EINTR) return outcome;
  }
}

}  // namespace mp::sys
