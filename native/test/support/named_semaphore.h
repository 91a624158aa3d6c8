// A semaphore with a name, made as a process of the library makes one.
#pragma once

#include <string>

#include "ipc/region.h"

namespace mp::test {

inline sys::Result<ipc::SharedRegion> create_semaphore(const std::string& name, unsigned value) {
  auto region = ipc::Region::new_semaphore(0600, value);
  if (!region.ok()) return region;
  if (const auto named = region.value()->name(name); !named.ok()) return named.error();
  return region;
}

}  // namespace mp::test
