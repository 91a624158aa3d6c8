// Locks of their own for tests, and processes that use them.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "ipc/sem_lock.h"
#include "ipc/word_lock.h"
#include "sys/poll_wait.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/named_semaphore.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

namespace mp::test {

struct Attempt {
  bool acquired = false;
  pid_t dead_holder = 0;
};

inline Attempt attempt_of(const ipc::Outcome& outcome) { return {outcome.done, outcome.detail}; }

// A lock in a named semaphore.
class NamedLock {
 public:
  ipc::UserToken self() const { return must(region_->processes().enter()); }
  std::unique_ptr<ipc::Waitable> wait(ipc::UserToken own) const { return std::make_unique<ipc::SemLock>(region_, own); }
  bool release() const { return ipc::SemLock::release(record()); }
  bool held() const { return ipc::SemLock::held(record()); }
  ipc::UserToken holder() const { return ipc::SemLock::holder(record()); }
  const SemaphoreName& name() const { return name_; }
  ipc::ProcessTable& processes() const { return region_->processes(); }
  ipc::SemRecord& record() const { return region_->at<ipc::SemRecord>(0); }

 private:
  SemaphoreName name_;
  ipc::SharedRegion region_ = must(create_semaphore(name_.bare(), 1));
};

// A lock in a word of an arena.
class ArenaLock {
 public:
  ipc::UserToken self() const { return must(region_->processes().enter()); }
  std::unique_ptr<ipc::Waitable> wait(ipc::UserToken own) const {
    return std::make_unique<ipc::WordLock>(region_, ipc::kObjectsOffset, own);
  }
  bool release() const { return ipc::WordLock::release(word()); }
  bool held() const { return holder() != ipc::kNoUser; }
  ipc::UserToken holder() const { return ipc::holder_in(std::atomic_ref(word()).load()); }
  ipc::ProcessTable& processes() const { return region_->processes(); }

 private:
  uint32_t& word() const { return region_->at<uint32_t>(ipc::kObjectsOffset); }

  ipc::SharedRegion region_ = must(ipc::Region::arena(64));
};

template <typename Lock>
Attempt try_acquire(const Lock& lock, ipc::UserToken own) {
  return attempt_of(lock.wait(own)->attempt(true));
}
template <typename Lock>
Attempt try_acquire(const Lock& lock) {
  return try_acquire(lock, lock.self());
}
template <typename Lock>
Attempt acquire_until(const Lock& lock, sys::Deadline deadline) {
  return attempt_of(ipc::wait_until(*lock.wait(lock.self()), deadline));
}
template <typename Lock>
Attempt acquire(const Lock& lock) {
  return acquire_until(lock, sys::kForever);
}

// A process that holds the lock until it is told to release it, or killed.
class Holder {
 public:
  template <typename Lock>
  explicit Holder(const Lock& lock)
      : child_([&] {
          release_.close_write_end();
          if (!try_acquire(lock).acquired) return 1;
          held_.send();
          if (!release_.receive()) return 2;
          return lock.release() ? 0 : 3;
        }) {
    held_.close_write_end();
    REQUIRE(held_.receive());
  }

  pid_t pid() const { return child_.pid(); }
  int release() {
    release_.send();
    return child_.join();
  }
  void die() {
    kill(child_.pid(), SIGKILL);
    child_.join();
  }

 private:
  BytePipe held_;
  BytePipe release_;
  Child child_;
};

}  // namespace mp::test
