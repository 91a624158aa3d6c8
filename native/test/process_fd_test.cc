#include "sys/process_fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a pidfd is close-on-exec and polls readable at the end of its process") {
  test::Child child([] { return pause(); });
  const sys::UniqueFd pidfd = test::must(sys::open_pidfd(child.pid()));
  CHECK((fcntl(pidfd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  pollfd watched{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  CHECK(poll(&watched, 1, 0) == 0);
  CHECK(sys::send_signal_to_pidfd(pidfd.get(), SIGTERM).ok());
  CHECK(poll(&watched, 1, -1) == 1);
  CHECK(child.join() == -SIGTERM);
}

TEST_CASE("a pidfd of a reaped process can't be signalled and no new one is opened") {
  test::Child child([] { return 0; });
  const pid_t pid = child.pid();
  const sys::UniqueFd pidfd = test::must(sys::open_pidfd(pid));
  child.join();
  CHECK(test::failure(sys::send_signal_to_pidfd(pidfd.get(), 0)) == "pidfd_send_signal: ESRCH");
  CHECK(test::failure(sys::open_pidfd(pid)) == "pidfd_open: ESRCH");
}

TEST_CASE("signalling a descriptor that is no pidfd fails with EBADF") {
  const sys::UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(test::failure(sys::send_signal_to_pidfd(file.get(), 0)) == "pidfd_send_signal: EBADF");
}
