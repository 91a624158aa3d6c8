#include "ipc/lock_waiter.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <utility>

#include "sys/event_fd.h"
#include "sys/helper_thread.h"

namespace mp::ipc {

sys::Result<std::shared_ptr<LockWaiter>> LockWaiter::create(SemLock lock) {
  auto event = sys::make_event_fd(0, EFD_NONBLOCK);
  if (!event.ok()) return event.error();
  return std::make_shared<LockWaiter>(std::move(lock), std::move(event).value());
}

sys::Status LockWaiter::start(const std::shared_ptr<LockWaiter>& waiter, ProcessToken self) {
  const std::lock_guard guard(waiter->mutex_);
  waiter->self_ = self;
  waiter->wanted_ = true;
  if (waiter->running_) return sys::done();
  auto own = std::make_unique<std::shared_ptr<LockWaiter>>(waiter);
  const auto body = [](void* argument) {
    const std::unique_ptr<std::shared_ptr<LockWaiter>> own(static_cast<std::shared_ptr<LockWaiter>*>(argument));
    (*own)->run();
  };
  if (const auto started = sys::start_helper_thread(body, own.get()); !started.ok()) {
    waiter->wanted_ = false;
    return started;
  }
  static_cast<void>(own.release());
  waiter->running_ = true;
  return sys::done();
}

Attempt LockWaiter::stop() {
  const std::lock_guard guard(mutex_);
  wanted_ = false;
  static_cast<void>(sys::silence_event_fd(event_.get()));
  return std::exchange(taken_, {});
}

void LockWaiter::run() {
  std::unique_lock guard(mutex_);
  for (HolderChecks checks; wanted_;) {
    taken_ = lock_.attempt(self_, checks);
    if (taken_.acquired) {
      wanted_ = false;
      static_cast<void>(sys::ring_event_fd(event_.get()));
      break;
    }
    guard.unlock();
    lock_.sleep_until(checks.next());
    guard.lock();
  }
  if (!taken_.acquired) lock_.pass_on();
  running_ = false;
}

}  // namespace mp::ipc
