#include "sys/signals.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("send_signal ends a child") {
  test::Child child([] { return pause(); });
  CHECK(sys::send_signal(child.pid(), SIGTERM).ok());
  CHECK(child.join() == -SIGTERM);
}

TEST_CASE("send_signal 0 tells whether a process exists") {
  test::Child child([] { return pause(); });
  const pid_t pid = child.pid();
  CHECK(sys::send_signal(pid, 0).ok());
  kill(pid, SIGKILL);
  child.join();
  CHECK(test::failure(sys::send_signal(pid, 0)) == "kill: ESRCH");
}

TEST_CASE("send_signal refuses a number that is no signal") {
  CHECK(test::failure(sys::send_signal(getpid(), 65)) == "kill: EINVAL");
}
