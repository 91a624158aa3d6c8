#include "sys/process_attributes.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>

#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("the parent death signal can be set and read and is cleared by fork") {
  CHECK(test::must(sys::parent_death_signal()) == 0);
  REQUIRE(sys::set_parent_death_signal(SIGUSR1).ok());
  CHECK(test::must(sys::parent_death_signal()) == SIGUSR1);
  CHECK(test::in_child([] { return test::must(sys::parent_death_signal()); }) == 0);
  REQUIRE(sys::set_parent_death_signal(0).ok());
  CHECK(test::failure(sys::set_parent_death_signal(65)) == "prctl: EINVAL");
}

TEST_CASE("the parent death signal comes when the parent ends") {
  test::BytePipe ready;
  test::BytePipe alive;
  test::Child parent([&] {
    test::Child grandchild([&] {
      sys::Status armed = sys::set_parent_death_signal(SIGKILL);
      ready.send();
      return armed.ok() ? pause() : 1;
    });
    ready.receive();
    grandchild.forget();
    return 0;
  });
  alive.close_write_end();
  CHECK(parent.join() == 0);
  CHECK_FALSE(alive.receive());  // end of file: the grandchild, last holder of the write end, is dead
}

TEST_CASE("a child subreaper becomes the parent of orphans") {
  CHECK_FALSE(test::must(sys::child_subreaper()));
  CHECK(test::in_child([] {
          if (!sys::set_child_subreaper(true).ok() || !test::must(sys::child_subreaper())) return 1;
          test::Child middle([] {
            test::Child orphan([] { return 6; });
            orphan.forget();
            return 0;
          });
          middle.join();
          int status = 0;
          return wait(&status) > 0 && WEXITSTATUS(status) == 6 ? 0 : 2;
        }) == 0);
}

TEST_CASE("a thread name is kept up to 15 bytes") {
  const std::string before = test::must(sys::thread_name());
  REQUIRE(sys::set_thread_name("mp-0123456789abcdef").ok());
  CHECK(test::must(sys::thread_name()) == "mp-0123456789ab");
  REQUIRE(sys::set_thread_name(before).ok());
  CHECK(test::must(sys::thread_name()) == before);
}

TEST_CASE("integer options pass through") {
  CHECK(test::in_child([] {
          if (sys::control_process(PR_GET_NO_NEW_PRIVS, 0).value() != 0) return 1;
          if (!sys::control_process(PR_SET_NO_NEW_PRIVS, 1).ok()) return 2;
          return sys::control_process(PR_GET_NO_NEW_PRIVS, 0).value() == 1 ? 0 : 3;
        }) == 0);
  CHECK(test::failure(sys::control_process(PR_SET_DUMPABLE, 9)) == "prctl: EINVAL");
}
