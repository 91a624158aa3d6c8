// class Region: shared memory as JavaScript sees it, and as the native functions on it take it.
#pragma once

#include <napi.h>

#include "ipc/region.h"

namespace mp::binding {

// Its first argument is a Region that is open.
const ipc::SharedRegion& region_arg(const Napi::CallbackInfo& info, size_t index);

// A T at the offset, inside the region.
template <typename T>
T& object_arg(const Napi::CallbackInfo& info, size_t region, size_t offset);

size_t checked_offset(const Napi::CallbackInfo& info, const ipc::Region& region, size_t index, size_t size);

template <typename T>
T& object_arg(const Napi::CallbackInfo& info, size_t region_index, size_t offset_index) {
  const ipc::Region& region = *region_arg(info, region_index);
  return region.at<T>(checked_offset(info, region, offset_index, sizeof(T)));
}

}  // namespace mp::binding
