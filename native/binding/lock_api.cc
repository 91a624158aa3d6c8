// class SemLock: a lock on a named semaphore that knows its holder. Names, queues and errors are TypeScript's
// (ts/sync/lock.ts).
#include <napi.h>

#include <memory>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "ipc/lock_waiter.h"
#include "ipc/process_token.h"
#include "ipc/sem_lock.h"
#include "sys/clock.h"

namespace mp::binding {

namespace {

// false: not acquired; true: acquired; a pid: acquired from this process, which died holding it.
Napi::Value to_js(Napi::Env env, const ipc::Attempt& attempt) {
  if (attempt.dead_holder != 0) return Napi::Number::New(env, attempt.dead_holder);
  return Napi::Boolean::New(env, attempt.acquired);
}

class SemLock : public Napi::ObjectWrap<SemLock> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("SemLock", DefineClass(env, "SemLock",
                                       {
                                           InstanceMethod<&SemLock::Inode>("inode"),
                                           InstanceMethod<&SemLock::TryAcquire>("tryAcquire"),
                                           InstanceMethod<&SemLock::Acquire>("acquire"),
                                           InstanceMethod<&SemLock::Release>("release"),
                                           InstanceMethod<&SemLock::IsHeld>("isHeld"),
                                           InstanceMethod<&SemLock::Holder>("holder"),
                                           InstanceMethod<&SemLock::StartWaiting>("startWaiting"),
                                           InstanceMethod<&SemLock::StopWaiting>("stopWaiting"),
                                           InstanceMethod<&SemLock::Close>("close"),
                                       }));
  }

  // new SemLock(name: string, mode: number | undefined): creates one, free, with a mode, else opens the existing one
  explicit SemLock(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SemLock>(info) {
    const std::string name = string_arg(info, 0);
    auto page = unwrap(info.Env(), info[1].IsNumber() ? ipc::SemPage::create(name, uint_arg(info, 1), 1)
                                                      : ipc::SemPage::open(name));
    lock_ = std::make_unique<ipc::SemLock>(std::make_shared<ipc::SemPage>(std::move(page)));
  }

  // A unit that came too late, in a Worker that is being terminated, goes back.
  ~SemLock() override {
    if (end_waiting().acquired) static_cast<void>(lock_->release());
  }

 private:
  ipc::SemLock& lock(const Napi::CallbackInfo& info) const {
    if (lock_ == nullptr) throw system_error(info.Env(), {EINVAL, "sem_wait"});
    return *lock_;
  }

  ipc::Attempt end_waiting() {
    if (waiter_ == nullptr) return {};
    if (waiter_->of_this_process()) return waiter_->stop();
    waiter_->abandon();
    waiter_.reset();
    return {};
  }

  // inode(): number; of the file, for as long as it exists
  Napi::Value Inode(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(lock(info).page().inode()));
  }

  // tryAcquire(self: number)
  Napi::Value TryAcquire(const Napi::CallbackInfo& info) {
    return to_js(info.Env(), lock(info).try_acquire(uint_arg(info, 0)));
  }

  // acquire(self: number, milliseconds: number); blocks
  Napi::Value Acquire(const Napi::CallbackInfo& info) {
    const sys::Deadline deadline = sys::deadline_after(number_arg(info, 1));
    return to_js(info.Env(), lock(info).acquire_until(uint_arg(info, 0), deadline));
  }

  // release(): boolean; false: nobody holds it
  Napi::Value Release(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), lock(info).release()); }

  Napi::Value IsHeld(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), lock(info).held()); }

  // holder(): number; 0: nobody, or a program that leaves no name
  Napi::Value Holder(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), ipc::pid_of(lock(info).holder()));
  }

  // startWaiting(self: number): number; a descriptor, not the caller's, that polls readable once the unit is taken
  Napi::Value StartWaiting(const Napi::CallbackInfo& info) {
    const ipc::SemLock& own = lock(info);
    if (waiter_ != nullptr && !waiter_->of_this_process()) end_waiting();
    if (waiter_ == nullptr) waiter_ = unwrap(info.Env(), ipc::LockWaiter::create(own));
    unwrap(info.Env(), ipc::LockWaiter::start(waiter_, uint_arg(info, 0)));
    return Napi::Number::New(info.Env(), waiter_->fd());
  }

  // stopWaiting(): what startWaiting() has got by now; nothing comes afterwards
  Napi::Value StopWaiting(const Napi::CallbackInfo& info) { return to_js(info.Env(), end_waiting()); }

  void Close(const Napi::CallbackInfo&) {
    if (end_waiting().acquired) static_cast<void>(lock_->release());
    waiter_.reset();
    lock_.reset();
  }

  std::unique_ptr<ipc::SemLock> lock_;
  std::shared_ptr<ipc::LockWaiter> waiter_;
};

// processToken(): number; names this process in shared memory
Napi::Value ProcessToken(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), ipc::own_token()));
}

}  // namespace

void init_lock(Napi::Env env, Napi::Object exports) {
  SemLock::init(env, exports);
  export_function<ProcessToken>(env, exports, "processToken");
}

}  // namespace mp::binding
