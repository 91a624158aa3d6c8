#include <memory>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/region.h"

namespace mp::binding {

namespace {

constexpr napi_type_tag kRegion = {0x6d702d726567696f, 0x6e2d6f626a656374};

// bytes(): ArrayBuffer; the memory itself, mapped for as long as it lives; of a semaphore its record alone
Napi::Value bytes(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  auto holder = std::make_unique<ipc::SharedRegion>(region);
  const size_t size = region->inode() == 0 ? region->size() : ipc::kHeaderOffset;
  auto buffer = Napi::ArrayBuffer::New(
      info.Env(), region->data(), size, [](Napi::BasicEnv, void*, ipc::SharedRegion* holder) { delete holder; },
      holder.get());
  static_cast<void>(holder.release());
  return buffer;
}

// inode(): number; of the file, for as long as it exists
Napi::Value inode(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  return Napi::Number::New(info.Env(), static_cast<double>(region->inode()));
}

// fd(): number; of an arena, for other processes to have it by; it stays the region's
Napi::Value fd(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  return Napi::Number::New(info.Env(), region->fd());
}

// closeFile(): no other process can be given it from here on
Napi::Value close_file(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  region->close_file();
  return info.Env().Undefined();
}

// name(name: string): void; a new semaphore gets its name, without a slash
Napi::Value name(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  return unwrap_status(info.Env(), region->name(string_arg(info, 0)));
}

// enter(): number; names this process among those that use the region
Napi::Value enter(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), region->processes().enter()));
}

// pidOf(token: number): number; 0: not known any more
Napi::Value pid_of(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  return Napi::Number::New(info.Env(), region->processes().pid_of(uint_arg(info, 0)));
}

}  // namespace

void Region::init(Napi::Env env, Napi::Object exports) {
  RegionMethods methods = {method<bytes>("bytes"),          method<inode>("inode"), method<fd>("fd"),
                           method<close_file>("closeFile"), method<name>("name"),   method<enter>("enter"),
                           method<pid_of>("pidOf")};
  add_lock_methods(methods);
  add_wait_methods(methods);
  exports.Set("Region", DefineClass(env, "Region", methods));
}

// new Region({ bytes: number }): an arena; ({ fd: number }): another process's, whose descriptor becomes the region's.
// ({ mode: number, value: number }): a new semaphore, yet to be named; ({ name: string }): one that is there
Region::Region(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Region>(info) {
  info.This().As<Napi::Object>().TypeTag(&kRegion);
  region_ = unwrap(info.Env(), [&]() -> sys::Result<ipc::SharedRegion> {
    const auto options = info[0].As<Napi::Object>();
    const auto number = [&options](const char* key) { return options.Get(key).As<Napi::Number>(); };
    if (options.Has("bytes")) return ipc::Region::arena(static_cast<size_t>(number("bytes").Int64Value()));
    if (options.Has("fd")) return ipc::Region::open_arena(sys::UniqueFd(number("fd").Int32Value()));
    if (options.Has("name")) return ipc::Region::open_semaphore(options.Get("name").As<Napi::String>());
    return ipc::Region::new_semaphore(number("mode").Uint32Value(), number("value").Uint32Value());
  }());
}

const ipc::SharedRegion& region_arg(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsObject() || !info[index].As<Napi::Object>().CheckTypeTag(&kRegion)) {
    throw Napi::TypeError::New(info.Env(), "expected a Region");
  }
  return Region::Unwrap(info[index].As<Napi::Object>())->shared();
}

size_t offset_arg(const Napi::CallbackInfo& info, size_t index, const ipc::Region& region, size_t size) {
  const auto offset = static_cast<size_t>(uint_arg(info, index));
  if (offset % 8 != 0 || offset > region.size() || region.size() - offset < size) {
    throw Napi::RangeError::New(info.Env(), "outside the region");
  }
  return offset;
}

void init_region(Napi::Env env, Napi::Object exports) { Region::init(env, exports); }

}  // namespace mp::binding
