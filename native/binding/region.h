// class Region: shared memory as JavaScript sees it. What is done to the objects in it are its methods, defined with
// their kind: a method's receiver is checked by V8, in no time, where the tag of an argument takes 200 ns.
#pragma once

#include <napi.h>

#include <vector>

#include "ipc/region.h"

namespace mp::binding {

class Region : public Napi::ObjectWrap<Region> {
 public:
  static void init(Napi::Env env, Napi::Object exports);

  explicit Region(const Napi::CallbackInfo& info);

  const ipc::SharedRegion& shared() const { return region_; }

  // A method that gets the memory besides its arguments.
  template <auto Function>
  static PropertyDescriptor method(const char* name) {
    return InstanceMethod<&Region::call<Function>>(name);
  }

 private:
  template <auto Function>
  Napi::Value call(const Napi::CallbackInfo& info) {
    return Function(info, region_);
  }

  ipc::SharedRegion region_;
};

using RegionMethods = std::vector<Region::PropertyDescriptor>;

// lock_api.cc and wait_room_api.cc
void add_lock_methods(RegionMethods& methods);
void add_wait_methods(RegionMethods& methods);

// An argument that is a Region.
const ipc::SharedRegion& region_arg(const Napi::CallbackInfo& info, size_t index);

// The argument as an offset at which `size` bytes are in the region.
size_t offset_arg(const Napi::CallbackInfo& info, size_t index, const ipc::Region& region, size_t size);

// The T at the offset that the argument says.
template <typename T>
T& object_arg(const Napi::CallbackInfo& info, size_t index, const ipc::Region& region) {
  return region.at<T>(offset_arg(info, index, region, sizeof(T)));
}

}  // namespace mp::binding
