// class Semaphore: one opening of a named POSIX semaphore.
#include <napi.h>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/clock.h"
#include "sys/semaphore.h"

namespace mp::binding {

namespace {

class Semaphore : public Napi::ObjectWrap<Semaphore> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Semaphore", DefineClass(env, "Semaphore",
                                         {
                                             InstanceMethod<&Semaphore::Wait>("wait"),
                                             InstanceMethod<&Semaphore::TryWait>("tryWait"),
                                             InstanceMethod<&Semaphore::Post>("post"),
                                             InstanceMethod<&Semaphore::GetValue>("getValue"),
                                             InstanceMethod<&Semaphore::Close>("close"),
                                         }));
  }

  // new Semaphore(name: string, flags: number, mode: number, value: number)
  explicit Semaphore(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Semaphore>(info),
        semaphore_(unwrap(info.Env(), sys::Semaphore::open(string_arg(info, 0), int_arg(info, 1), uint_arg(info, 2),
                                                           uint_arg(info, 3)))) {}

 private:
  const sys::Semaphore& open(Napi::Env env, const char* syscall) const {
    if (!semaphore_.valid()) throw system_error(env, {EINVAL, syscall});
    return semaphore_;
  }

  // wait(milliseconds: number): boolean; blocks
  Napi::Value Wait(const Napi::CallbackInfo& info) {
    const sys::Deadline deadline = sys::deadline_after(number_arg(info, 0));
    return Napi::Boolean::New(info.Env(), unwrap(info.Env(), open(info.Env(), "sem_wait").wait_until(deadline)));
  }

  Napi::Value TryWait(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), unwrap(info.Env(), open(info.Env(), "sem_trywait").try_wait()));
  }

  Napi::Value Post(const Napi::CallbackInfo& info) {
    return unwrap_status(info.Env(), open(info.Env(), "sem_post").post());
  }

  Napi::Value GetValue(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), unwrap(info.Env(), open(info.Env(), "sem_getvalue").value()));
  }

  void Close(const Napi::CallbackInfo& info) {
    static_cast<void>(open(info.Env(), "sem_close"));
    semaphore_.close();
  }

  sys::Semaphore semaphore_;
};

// semUnlink(name: string)
Napi::Value SemUnlink(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::unlink_semaphore(string_arg(info, 0)));
}

}  // namespace

void init_semaphore(Napi::Env env, Napi::Object exports) {
  Semaphore::init(env, exports);
  export_function<SemUnlink>(env, exports, "semUnlink");
}

}  // namespace mp::binding
