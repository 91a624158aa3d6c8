#include "sys/poll_wait.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "sys/pipe.h"
#include "test/support/interruptions.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("poll_until tells how many are ready, and for what") {
  sys::PipeEnds pipe = test::must(sys::make_pipe());
  pollfd fds[] = {{pipe.read_end.get(), POLLIN, 0}, {pipe.write_end.get(), POLLOUT, 0}};
  CHECK(test::must(sys::poll_until(fds, sys::kForever)) == 1);
  CHECK(fds[0].revents == 0);
  CHECK(fds[1].revents == POLLOUT);
  REQUIRE(write(pipe.write_end.get(), "x", 1) == 1);
  CHECK(test::must(sys::poll_until(fds, sys::kForever)) == 2);
  pipe.write_end.reset();
  CHECK(test::must(sys::poll_until({fds, 1}, sys::kForever)) == 1);
  CHECK(fds[0].revents == (POLLIN | POLLHUP));
}

TEST_CASE("poll_until waits until its deadline though signals interrupt it") {
  const sys::PipeEnds pipe = test::must(sys::make_pipe());
  pollfd fd{pipe.read_end.get(), POLLIN, 0};
  const test::Interruptions interruptions;
  const sys::Deadline deadline = test::Interruptions::several();
  CHECK(test::must(sys::poll_until({&fd, 1}, deadline)) == 0);
  CHECK(sys::monotonic_now() >= deadline);
  CHECK(test::must(sys::poll_until({&fd, 1}, sys::deadline_after(0))) == 0);
}
