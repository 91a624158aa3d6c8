// class NameRegistry: the names that go with this tree of processes. What is written down and when is TypeScript's
// (ts/internal/object_names.ts).
#include <napi.h>

#include <optional>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "ipc/name_registry.h"
#include "sys/detached_program.h"
#include "sys/file_lock.h"

namespace mp::binding {

namespace {

class NameRegistry : public Napi::ObjectWrap<NameRegistry> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("NameRegistry", DefineClass(env, "NameRegistry",
                                            {
                                                InstanceMethod<&NameRegistry::Fd>("fd"),
                                                InstanceMethod<&NameRegistry::Publish>("publish"),
                                                InstanceMethod<&NameRegistry::IsTracked>("isTracked"),
                                                InstanceMethod<&NameRegistry::Add>("add"),
                                                InstanceMethod<&NameRegistry::Remove>("remove"),
                                            }));
  }

  // new NameRegistry(): a new tree's. new NameRegistry(fd: number): the one that this process was given
  explicit NameRegistry(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NameRegistry>(info) {
    registry_.emplace(unwrap(info.Env(), info[0].IsNumber()
                                             ? ipc::NameRegistry::inherit(sys::UniqueFd(int_arg(info, 0)))
                                             : ipc::NameRegistry::create()));
  }

  ~NameRegistry() override {
    if (registry_) registry_->leave_open();
  }

 private:
  // fd(): number; it stays the registry's
  Napi::Value Fd(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), registry_->fd()); }

  // publish(file: string)
  Napi::Value Publish(const Napi::CallbackInfo& info) {
    return unwrap_status(info.Env(), registry_->publish(string_arg(info, 0)));
  }

  // isTracked(): boolean; whether a tracker waits for the end of the tree
  Napi::Value IsTracked(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), unwrap(info.Env(), sys::is_byte_locked(registry_->fd(), ipc::kTrackerLives)));
  }

  // add(file: string, inode: number): number; its slot
  Napi::Value Add(const Napi::CallbackInfo& info) {
    const auto inode = static_cast<uint64_t>(int64_arg(info, 1));
    return Napi::Number::New(info.Env(), unwrap(info.Env(), registry_->add(string_arg(info, 0), inode)));
  }

  // remove(file: string, inode: number, slot: number | undefined)
  void Remove(const Napi::CallbackInfo& info) {
    registry_->remove(string_arg(info, 0), static_cast<uint64_t>(int64_arg(info, 1)),
                      info[2].IsNumber() ? uint_arg(info, 2) : ipc::NameRegistry::kUnknownSlot);
  }

  std::optional<ipc::NameRegistry> registry_;
};

// runDetached(program: string, ...arguments: string[]): number; its exit code. Blocks until it has ended.
Napi::Value RunDetached(const Napi::CallbackInfo& info) {
  std::vector<std::string> words;
  for (size_t index = 0; index < info.Length(); ++index) words.push_back(string_arg(info, index));
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::run_detached(words.at(0), words)));
}

}  // namespace

void init_name_registry(Napi::Env env, Napi::Object exports) {
  NameRegistry::init(env, exports);
  export_function<RunDetached>(env, exports, "runDetached");
}

}  // namespace mp::binding
