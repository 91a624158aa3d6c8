// Waits for a lock on behalf of an event loop: on one thread, which takes the unit as any blocked process would and then
// makes a descriptor readable.
#pragma once

#include <memory>
#include <mutex>

#include "ipc/sem_lock.h"
#include "sys/process.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

class LockWaiter {
 public:
  static sys::Result<std::shared_ptr<LockWaiter>> create(SemLock lock);
  LockWaiter(SemLock lock, sys::UniqueFd event) : lock_(std::move(lock)), event_(std::move(event)) {}

  // Readable once the unit has been taken, until stop().
  int fd() const { return event_.get(); }

  // Begins to wait. The thread is started when there is none and ends when it has the unit, or 100 ms after nobody
  // wants it any more.
  static sys::Status start(const std::shared_ptr<LockWaiter>& waiter, ProcessToken self);

  // Ends the wait: the unit, if it has been taken. Nothing is taken afterwards.
  Attempt stop();

  // False in a forked child, which has the object and not its thread: there only abandon() may be called, as the mutex
  // may never be unlocked again. It closes the child's copy of the descriptor.
  bool of_this_process() const { return pid_ == sys::process_id(); }
  void abandon() { event_.reset(); }

 private:
  void run();

  const SemLock lock_;
  const pid_t pid_ = sys::process_id();
  sys::UniqueFd event_;
  // The unit is taken under it, so that stop() and the taking have an order.
  std::mutex mutex_;
  ProcessToken self_ = kNobody;
  bool wanted_ = false;
  bool running_ = false;
  Attempt taken_;
};

}  // namespace mp::ipc
