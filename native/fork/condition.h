// std::condition_variable on sys::Deadline. Its plain wait() is left out: libstdc++ 12 gave that one a new version
// (GLIBCXX_3.4.30), and a binary that calls it does not load where libstdc++ is older.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "sys/clock.h"

namespace mp::fork {

class Condition {
 public:
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

  // Returns after a notification, at the deadline, or for no reason.
  void wait(std::unique_lock<std::mutex>& lock, sys::Deadline deadline) {
    condition_.wait_until(lock, time_point(deadline));
  }

  // Blocks until the predicate holds: false when it still does not at the deadline.
  template <typename Predicate>
  bool wait(std::unique_lock<std::mutex>& lock, sys::Deadline deadline, Predicate holds) {
    return condition_.wait_until(lock, time_point(deadline), holds);
  }

 private:
  // libstdc++'s steady_clock is CLOCK_MONOTONIC in nanoseconds, as sys::Deadline is.
  static std::chrono::steady_clock::time_point time_point(sys::Deadline deadline) {
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(deadline));
  }

  std::condition_variable condition_;
};

}  // namespace mp::fork
