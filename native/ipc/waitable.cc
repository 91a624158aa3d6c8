#include "ipc/waitable.h"

#include <algorithm>

namespace mp::ipc {

Outcome wait_until(Waitable& wait, sys::Deadline deadline) {
  if (const Outcome outcome = wait.attempt(false); outcome.done) return outcome;
  Outcome outcome;
  const auto look = [&] { return wait.promising() && (outcome = wait.attempt(false)).done; };
  if (deadline > 0 && wait.patience().spin(look)) return outcome;
  wait.begin();
  for (LifeChecks checks; !outcome.done && sys::monotonic_now() < deadline; outcome = wait.attempt(checks.due())) {
    std::array<sys::FutexWord, Waitable::kMostWords> words;
    const std::span own(words.data(), wait.words());
    wait.arm(own);
    static_cast<void>(sys::futex_wait_any(own, std::min(deadline, checks.next())));
  }
  wait.end();
  return outcome.done ? outcome : wait.give_up();
}

}  // namespace mp::ipc
