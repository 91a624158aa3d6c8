#include "sys/resource_limits.h"

#include <doctest/doctest.h>

#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("set_resource_limits changes what resource_limits returns") {
  CHECK(test::in_child([] {
          const rlimit before = test::must(sys::resource_limits(RLIMIT_NOFILE));
          if (!sys::set_resource_limits(RLIMIT_NOFILE, {.rlim_cur = 64, .rlim_max = before.rlim_max}).ok()) return 1;
          const rlimit after = test::must(sys::resource_limits(RLIMIT_NOFILE));
          return after.rlim_cur == 64 && after.rlim_max == before.rlim_max ? 0 : 2;
        }) == 0);
}

TEST_CASE("resource limits refuse an unknown resource and a soft limit above the hard one") {
  CHECK(test::failure(sys::resource_limits(99)) == "getrlimit: EINVAL");
  CHECK(test::failure(sys::set_resource_limits(RLIMIT_CORE, {.rlim_cur = 2, .rlim_max = 1})) == "setrlimit: EINVAL");
}
