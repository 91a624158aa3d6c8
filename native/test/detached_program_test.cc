#include "sys/detached_program.h"

#include <doctest/doctest.h>

#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a detached program runs in a session of its own, without the environment, and its exit code is told") {
  CHECK(test::must(sys::run_detached("/bin/sh", {"sh", "-c", "exit 3"})) == 3);
  CHECK(test::must(sys::run_detached("/bin/sh", {"sh", "-c", "kill -9 $$"})) == -9);
  CHECK(test::must(sys::run_detached("/bin/sh", {"sh", "-c", "test -z \"$HOME\" && read -r line"})) == 1);
  CHECK(test::must(sys::run_detached("/bin/sh", {"sh", "-c", "set -- $(cat /proc/$$/stat); test $6 = $$"})) == 0);
  CHECK(test::failure(sys::run_detached("/nowhere", {"nowhere"})) == "posix_spawn: ENOENT");
}
