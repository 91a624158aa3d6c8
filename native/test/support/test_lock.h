// A lock under a name of its own, and processes that use it.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "ipc/process_token.h"
#include "ipc/sem_lock.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

namespace mp::test {

inline ipc::ProcessToken self() { return must(ipc::own_token()); }

class TestLock {
 public:
  TestLock() : lock_(std::make_shared<ipc::SemPage>(must(ipc::SemPage::create(name_.bare(), 0600, 1)))) {}

  const ipc::SemLock* operator->() const { return &lock_; }
  const ipc::SemLock& operator*() const { return lock_; }
  const SemaphoreName& name() const { return name_; }
  ipc::SemRecord& record() const { return lock_.page().record(); }

 private:
  SemaphoreName name_;
  ipc::SemLock lock_;
};

// A process that holds the lock until it is told to release it, or killed.
class Holder {
 public:
  explicit Holder(const TestLock& lock)
      : child_([&] {
          release_.close_write_end();
          if (!lock->try_acquire(self()).acquired) return 1;
          held_.send();
          if (!release_.receive()) return 2;
          return lock->release() ? 0 : 3;
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
