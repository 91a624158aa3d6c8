#include <memory>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/region.h"

namespace mp::binding {

namespace {

constexpr napi_type_tag kRegion = {0x6d702d726567696f, 0x6e2d6f626a656374};

class Region : public Napi::ObjectWrap<Region> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Region", DefineClass(env, "Region",
                                      {
                                          InstanceMethod<&Region::Bytes>("bytes"),
                                          InstanceMethod<&Region::Inode>("inode"),
                                          InstanceMethod<&Region::Enter>("enter"),
                                          InstanceMethod<&Region::PidOf>("pidOf"),
                                      }));
  }

  // new Region(bytes: number): an arena. new Region(name: string, mode: number | undefined, value: number): a
  // semaphore, made with a mode, else opened
  explicit Region(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Region>(info) {
    info.This().As<Napi::Object>().TypeTag(&kRegion);
    if (info[0].IsNumber()) {
      region_ = unwrap(info.Env(), ipc::Region::arena(static_cast<size_t>(int64_arg(info, 0))));
      return;
    }
    const std::string name = string_arg(info, 0);
    region_ = unwrap(info.Env(), info[1].IsNumber()
                                     ? ipc::Region::create_semaphore(name, uint_arg(info, 1), uint_arg(info, 2))
                                     : ipc::Region::open_semaphore(name));
  }

  const ipc::SharedRegion& shared() const { return region_; }

 private:
  // bytes(): ArrayBuffer; the memory itself, mapped for as long as it lives
  Napi::Value Bytes(const Napi::CallbackInfo& info) {
    auto holder = std::make_unique<ipc::SharedRegion>(region_);
    auto buffer = Napi::ArrayBuffer::New(
        info.Env(), region_->data(), region_->size(),
        [](Napi::BasicEnv, void*, ipc::SharedRegion* holder) { delete holder; }, holder.get());
    static_cast<void>(holder.release());
    return buffer;
  }

  // inode(): number; of the file, for as long as it exists
  Napi::Value Inode(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(region_->inode()));
  }

  // enter(): number; names this process among those that use the region
  Napi::Value Enter(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), unwrap(info.Env(), region_->processes().enter()));
  }

  // pidOf(token: number): number; 0: not known any more
  Napi::Value PidOf(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), region_->processes().pid_of(uint_arg(info, 0)));
  }

  ipc::SharedRegion region_;
};

}  // namespace

const ipc::SharedRegion& region_arg(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsObject() || !info[index].As<Napi::Object>().CheckTypeTag(&kRegion)) {
    throw Napi::TypeError::New(info.Env(), "expected a Region");
  }
  return Region::Unwrap(info[index].As<Napi::Object>())->shared();
}

size_t checked_offset(const Napi::CallbackInfo& info, const ipc::Region& region, size_t index, size_t size) {
  const auto offset = static_cast<size_t>(int64_arg(info, index));
  if (offset % 8 != 0 || offset > region.size() || region.size() - offset < size) {
    throw Napi::RangeError::New(info.Env(), "outside the region");
  }
  return offset;
}

void init_region(Napi::Env env, Napi::Object exports) { Region::init(env, exports); }

}  // namespace mp::binding
