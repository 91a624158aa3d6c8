#include "sys/process.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "test/support/child.h"

using namespace mp;

TEST_CASE("process_id and parent_process_id are a forked child's own") {
  const pid_t parent = sys::process_id();
  CHECK(parent == getpid());
  CHECK(test::in_child([&] { return sys::process_id() != parent && sys::parent_process_id() == parent ? 0 : 1; }) == 0);
}

TEST_CASE("start_session makes a leader once and fails with EPERM the second time") {
  CHECK(test::in_child([] {
          auto session = sys::start_session();
          if (!session.ok() || session.value() != getpid() || getsid(0) != getpid()) return 1;
          auto again = sys::start_session();
          return !again.ok() && again.error().number == EPERM ? 0 : 2;
        }) == 0);
}

TEST_CASE("set_file_mode_mask returns the mask it replaces") {
  const mode_t before = sys::set_file_mode_mask(027);
  CHECK(sys::set_file_mode_mask(before) == 027);
}

TEST_CASE("exit_at_once runs no exit handler") {
  CHECK(test::in_child([]() -> int {
          std::atexit([] { _exit(1); });
          sys::exit_at_once(42);
        }) == 42);
}
