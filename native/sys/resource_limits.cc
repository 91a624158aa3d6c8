#include "sys/resource_limits.h"

namespace mp::sys {

namespace {
auto resource_of(int number) { return static_cast<__rlimit_resource_t>(number); }
}  // namespace

Result<rlimit> resource_limits(int resource) {
  rlimit limits{};
  if (getrlimit(resource_of(resource), &limits) == -1) return last_error("getrlimit");
  return limits;
}

Status set_resource_limits(int resource, const rlimit& limits) {
  return check(setrlimit(resource_of(resource), &limits), "setrlimit");
}

}  // namespace mp::sys
