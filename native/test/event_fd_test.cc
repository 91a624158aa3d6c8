#include "sys/event_fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include "sys/poll_wait.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

bool is_readable(const sys::UniqueFd& fd) {
  pollfd entry{fd.get(), POLLIN, 0};
  return test::must(sys::poll_until({&entry, 1}, sys::deadline_after(0))) == 1;
}

}  // namespace

TEST_CASE("an eventfd is readable from the ring to the silence") {
  const sys::UniqueFd bell = test::must(sys::make_event_fd(0, EFD_NONBLOCK));
  CHECK((fcntl(bell.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK_FALSE(is_readable(bell));
  for (int round = 0; round < 2; ++round) {
    REQUIRE(sys::ring_event_fd(bell.get()).ok());
    REQUIRE(sys::ring_event_fd(bell.get()).ok());
    CHECK(is_readable(bell));
    REQUIRE(sys::silence_event_fd(bell.get()).ok());
    CHECK_FALSE(is_readable(bell));
    CHECK(sys::silence_event_fd(bell.get()).ok());
  }
}

TEST_CASE("an eventfd may begin with a count; a wrong flag is refused") {
  CHECK(is_readable(test::must(sys::make_event_fd(1, EFD_NONBLOCK))));
  CHECK(test::failure(sys::make_event_fd(0, 0x4000'0000)) == "eventfd: EINVAL");
  CHECK(test::failure(sys::ring_event_fd(-1)) == "eventfd_write: EBADF");
}
