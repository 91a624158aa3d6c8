// A lock on a SemPage: a semaphore of value 1 whose unit has a name on it while a process of the library holds it, so
// that a holder's death is noticed and exactly one waiter takes over.
//
// The value (V) and the holder's token (T) change together, in one compare-and-exchange:
//   take        V 1, T any  -> V 0, T own
//   give back   V 0, T any  -> V 1, T nobody        V 1: over-release, nothing changes
//   take over   V 0, T dead -> V 0, T own
//   C's sem_wait V 1 -> V 0 leaves T nobody: such a holder is never taken over from; C's sem_post: V 0 -> V 1.
// Whatever instruction a process is killed at, the page says who holds: there is no state in between.
#pragma once

#include <memory>

#include "ipc/process_token.h"
#include "ipc/sem_page.h"
#include "sys/clock.h"

namespace mp::ipc {

struct Attempt {
  bool acquired = false;
  pid_t dead_holder = 0;  // not 0: taken over from this process, which died holding it
};

// When a waiter looks whether the holder lives: soon at first, as who comes late may find it dead, then ten times a
// second.
class HolderChecks {
 public:
  bool due() {
    if (sys::monotonic_now() < next_) return false;
    next_ = sys::deadline_after(kEveryMs);
    return true;
  }
  sys::Deadline next() const { return next_; }

 private:
  static constexpr int kFirstAfterMs = 10;
  static constexpr int kEveryMs = 100;

  sys::Deadline next_ = sys::deadline_after(kFirstAfterMs);
};

class SemLock {
 public:
  explicit SemLock(std::shared_ptr<SemPage> page) : page_(std::move(page)) {}

  const SemPage& page() const { return *page_; }

  // Never waits; takes over from a dead holder.
  Attempt try_acquire(ProcessToken self) const;
  // Blocks the calling thread.
  Attempt acquire_until(ProcessToken self, sys::Deadline deadline) const;
  // Whoever holds it. False: nobody does.
  bool release() const;

  bool held() const;
  // kNobody also while a program that knows nothing of tokens holds it.
  ProcessToken holder() const;

  // One round of acquire_until(), for who must do something between rounds: take it if it is free, and when a check is
  // due, from a dead holder.
  Attempt attempt(ProcessToken self, HolderChecks& checks) const;
  // Sleeps until there may be a unit, at most until the deadline.
  void sleep_until(sys::Deadline deadline) const;
  // For a waiter that may have been woken and does not take the unit: another shall.
  void pass_on() const;

 private:
  bool take(ProcessToken self) const;
  Attempt take_over(ProcessToken self) const;

  std::shared_ptr<SemPage> page_;
};

}  // namespace mp::ipc
