// What can be waited for in shared memory, and the one loop that does, for a thread that blocks.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "ipc/process_table.h"
#include "ipc/region.h"
#include "sys/clock.h"
#include "sys/futex.h"

namespace mp::ipc {

// How a wait ended.
struct Outcome {
  bool done = false;   // false: the time was up, or nothing yet
  int32_t detail = 0;  // a lock: the pid of the dead process it was taken over from, -1 when that is not known any more
};

// When a waiter looks whether others live: soon at first, as who comes late may find them dead, then ten times a
// second.
class LifeChecks {
 public:
  bool due() {
    if (sys::monotonic_now() < next_) return false;
    next_ = sys::deadline_after(kEveryMs);
    return true;
  }
  sys::Deadline next() const { return next_; }
  // Somebody else begins to wait.
  void hasten() { next_ = std::min(next_, sys::deadline_after(kFirstAfterMs)); }

 private:
  static constexpr int kFirstAfterMs = 10;
  static constexpr int kEveryMs = 100;

  sys::Deadline next_ = sys::deadline_after(kFirstAfterMs);
};

// How long a wait for a lock has lasted. Who has slept may take it before those who come; once a wait has lasted long,
// those who come are told to let others go first, so that nobody starves.
class Slept {
 public:
  void once_more() {
    if (long_at_ == 0) long_at_ = sys::deadline_after(kLongMs);
  }
  bool at_all() const { return long_at_ != 0; }
  bool for_long() const { return at_all() && sys::monotonic_now() >= long_at_; }
  // Whether who takes the lock now leaves the word about overdue waiters there. It may be another's who still waits, or
  // one's who was killed: by chance it goes after some 64 times, and is given again by who needs it.
  bool leaves_word() const {
    const sys::Deadline now = sys::monotonic_now();
    return at_all() && (now >= long_at_ || now / 64 % 64 != 0);
  }

 private:
  static constexpr int kLongMs = 5;

  sys::Deadline long_at_ = 0;
};

// One wait of one process. begin(), then attempt() and arm() in turn with sleeping on the words, then end().
class Waitable {
 public:
  static constexpr size_t kMostWords = 2;

  Waitable(SharedRegion region, UserToken self) : region_(std::move(region)), self_(self) {}
  Waitable(const Waitable&) = delete;
  Waitable& operator=(const Waitable&) = delete;
  virtual ~Waitable() = default;

  // Never waits. `look`: also sees to it that nobody is waited for who is dead.
  virtual Outcome attempt(bool look) = 0;
  // Whether an attempt is worth it; true where that can't be told for less.
  virtual bool promising() const { return true; }
  virtual void begin() {}
  // How many words it sleeps on.
  virtual size_t words() const { return 1; }
  // The words a change of which makes another attempt worth it.
  virtual void arm(std::span<sys::FutexWord> words) = 0;
  virtual void end() {}
  // When nobody wants it any more: what came at the last moment is the outcome.
  virtual Outcome give_up() { return attempt(true); }
  // Nobody wants it any more, and nothing has come.
  virtual void withdraw() {}
  // A wake may have come to this wait, which has ended without taking anything.
  virtual void pass_on() {}
  // The outcome has come and nobody wants it any more.
  virtual void undo() = 0;

  Patience& patience() const { return region_->patience(); }

 protected:
  ProcessTable& processes() const { return region_->processes(); }
  UserToken self() const { return self_; }

  const SharedRegion region_;

 private:
  const UserToken self_;
};

// Blocks the calling thread, after a moment of looking, until it is done or the deadline has come.
Outcome wait_until(Waitable& wait, sys::Deadline deadline);

}  // namespace mp::ipc
