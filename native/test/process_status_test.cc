#include "sys/process_status.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>

#include "sys/process.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a process's status: running, its threads, and a start that stays the same") {
  const auto first = test::must(sys::process_status(sys::process_id()));
  const auto again = test::must(sys::process_status(sys::process_id()));
  CHECK(first.state == 'R');
  CHECK((first.threads == 1 || first.threads == 2));  // a sanitizer has one
  CHECK(first.start_time > 0);
  CHECK(again.start_time == first.start_time);
}

TEST_CASE("a name of any characters does not confuse it") {
  test::BytePipe named;
  test::BytePipe never;
  test::Child child([&] {
    prctl(PR_SET_NAME, ") Z 1 (a) 9 9");
    named.send();
    never.close_write_end();
    never.receive();
    return 0;
  });
  named.close_write_end();
  REQUIRE(named.receive());
  const auto status = test::must(sys::process_status(child.pid()));
  CHECK((status.state == 'S' || status.state == 'R'));
  CHECK((status.threads == 1 || status.threads == 2));
  CHECK(status.start_time >= test::must(sys::process_status(sys::process_id())).start_time);
}

TEST_CASE("a process that has ended is a zombie until it is reaped, then nothing") {
  test::Child child([] { return 0; });
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  const pid_t pid = child.pid();
  CHECK(test::must(sys::process_status(pid)).state == 'Z');
  child.join();
  CHECK(test::failure(sys::process_status(pid)) == "open: ENOENT");
}

TEST_CASE("processes of one PID namespace have the same number of it") {
  const uint64_t own = test::must(sys::pid_namespace());
  CHECK(own != 0);
  CHECK(test::in_child([&] {
          const auto found = sys::pid_namespace();
          return found.ok() && found.value() == own ? 0 : 1;
        }) == 0);
}
