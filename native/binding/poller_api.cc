// class Poller: one descriptor watched on the environment's own loop by uv_poll. Edge decisions (who waits, for how
// long) are ts/internal/readiness.ts's.
#include <napi.h>
#include <uv.h>

#include <memory>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"

namespace mp::binding {

namespace {

// libuv's rule: a handle is freed in its close callback, never before.
struct CloseHandle {
  void operator()(uv_poll_t* handle) const {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<uv_poll_t*>(closed); });
  }
};

class Poller : public Napi::ObjectWrap<Poller> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Poller", DefineClass(env, "Poller",
                                      {
                                          InstanceMethod<&Poller::Start>("start"),
                                          InstanceMethod<&Poller::Close>("close"),
                                          InstanceMethod<&Poller::Ref>("ref"),
                                          InstanceMethod<&Poller::Unref>("unref"),
                                      }));
  }

  // new Poller(fd, onReady: (events: number) => void)
  explicit Poller(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Poller>(info),
        env_(info.Env()),
        on_ready_(Napi::Persistent(info[1].As<Napi::Function>())),
        context_(info.Env(), "posix-multiprocessing:Poller") {
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env_, &loop);
    auto handle = std::make_unique<uv_poll_t>();
    if (const int failed = uv_poll_init(loop, handle.get(), int_arg(info, 0)); failed != 0) {
      throw system_error(env_, {-failed, "uv_poll_init"});
    }
    handle_.reset(handle.release());
    handle_->data = this;
    napi_add_env_cleanup_hook(env_, at_exit, this);
  }

  ~Poller() override { drop(); }

 private:
  static void at_exit(void* self) { static_cast<Poller*>(self)->handle_.reset(); }

  void drop() {
    if (!handle_) return;
    napi_remove_env_cleanup_hook(env_, at_exit, this);
    handle_.reset();
  }

  // start(events): UV_READABLE | UV_WRITABLE | ...; 0 stops watching.
  void Start(const Napi::CallbackInfo& info) {
    if (!handle_) return;
    const int events = int_arg(info, 0);
    const int failed = events == 0 ? uv_poll_stop(handle_.get()) : uv_poll_start(handle_.get(), events, on_event);
    if (failed != 0) throw system_error(info.Env(), {-failed, "uv_poll_start"});
  }

  void Close(const Napi::CallbackInfo&) { drop(); }
  void Ref(const Napi::CallbackInfo&) {
    if (handle_) uv_ref(reinterpret_cast<uv_handle_t*>(handle_.get()));
  }
  void Unref(const Napi::CallbackInfo&) {
    if (handle_) uv_unref(reinterpret_cast<uv_handle_t*>(handle_.get()));
  }

  static void on_event(uv_poll_t* handle, int status, int events) {
    auto* self = static_cast<Poller*>(handle->data);
    if (self == nullptr) return;
    Napi::HandleScope scope(self->env_);
    // An error (EBADF, POLLERR) counts as ready: the read or write that follows reports it.
    const int ready = status < 0 ? UV_READABLE | UV_WRITABLE | UV_DISCONNECT : events;
    try {
      self->on_ready_.MakeCallback(self->Value(), {Napi::Number::New(self->env_, ready)}, self->context_);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(self->env_, error.Value());
    }
  }

  Napi::Env env_;
  Napi::FunctionReference on_ready_;
  Napi::AsyncContext context_;
  std::unique_ptr<uv_poll_t, CloseHandle> handle_;
};

}  // namespace

void init_poller(Napi::Env env, Napi::Object exports) { Poller::init(env, exports); }

}  // namespace mp::binding
