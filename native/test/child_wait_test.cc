#include "sys/child_wait.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "sys/process_fd.h"
#include "test/support/child.h"
#include "test/support/interruptions.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

// The two ways to wait for a child's end, and for the changes that `options` adds.
class ByPid {
 public:
  explicit ByPid(const test::Child& child) : pid_(child.pid()) {}
  auto operator()(int options) const { return sys::wait_for_pid(pid_, options); }

 private:
  pid_t pid_;
};

class ByPidfd {
 public:
  explicit ByPidfd(const test::Child& child) : pidfd_(test::must(sys::open_pidfd(child.pid()))) {}
  auto operator()(int options) const { return sys::wait_for_pidfd(pidfd_.get(), options | WEXITED); }

 private:
  sys::UniqueFd pidfd_;
};

// The next change, which must be of this kind. An end has reaped the child.
void check_change(std::optional<sys::ChildChange> change, test::Child& child, sys::ChildState state, int value) {
  REQUIRE(change.has_value());
  CHECK(change->pid == child.pid());
  CHECK(change->state == state);
  CHECK(change->value == value);
  if (state == sys::ChildState::kExited || state == sys::ChildState::kKilled) child.forget();
}

}  // namespace

TYPE_TO_STRING(ByPid);
TYPE_TO_STRING(ByPidfd);

TEST_CASE_TEMPLATE("waiting reports an exit code and then ECHILD", Wait, ByPid, ByPidfd) {
  test::Child child([] { return 7; });
  const Wait wait(child);
  check_change(test::must(wait(0)), child, sys::ChildState::kExited, 7);
  CHECK(test::failure(wait(0)) == (std::is_same_v<Wait, ByPid> ? "waitpid: ECHILD" : "waitid: ECHILD"));
}

TEST_CASE_TEMPLATE("waiting reports the signal that killed a child", Wait, ByPid, ByPidfd) {
  test::Child child([] { return kill(getpid(), SIGKILL); });
  check_change(test::must(Wait(child)(0)), child, sys::ChildState::kKilled, SIGKILL);
}

TEST_CASE_TEMPLATE("WNOHANG finds nothing while the child runs", Wait, ByPid, ByPidfd) {
  test::Child child([] { return pause(); });
  const Wait wait(child);
  CHECK_FALSE(test::must(wait(WNOHANG)).has_value());
  kill(child.pid(), SIGTERM);
  check_change(test::must(wait(0)), child, sys::ChildState::kKilled, SIGTERM);
}

TEST_CASE_TEMPLATE("WUNTRACED and WCONTINUED report a stop and a resumption", Wait, ByPid, ByPidfd) {
  test::Child child([] {
    raise(SIGSTOP);
    return pause();
  });
  const Wait wait(child);
  check_change(test::must(wait(WUNTRACED)), child, sys::ChildState::kStopped, SIGSTOP);
  kill(child.pid(), SIGCONT);
  check_change(test::must(wait(WCONTINUED)), child, sys::ChildState::kContinued, SIGCONT);
  kill(child.pid(), SIGKILL);
  check_change(test::must(wait(0)), child, sys::ChildState::kKilled, SIGKILL);
}

TEST_CASE_TEMPLATE("waiting outlasts signals that interrupt it", Wait, ByPid, ByPidfd) {
  const test::Interruptions interruptions;
  test::Child child([] {
    test::Interruptions::outlast();
    return 5;
  });
  check_change(test::must(Wait(child)(0)), child, sys::ChildState::kExited, 5);
}

TEST_CASE("WNOWAIT leaves the child of a pidfd waitable") {
  test::Child child([] { return 3; });
  const sys::UniqueFd pidfd = test::must(sys::open_pidfd(child.pid()));
  CHECK(test::must(sys::wait_for_pidfd(pidfd.get(), WEXITED | WNOWAIT))->value == 3);
  CHECK(child.join() == 3);
}

TEST_CASE("a pidfd that does not block finds nothing instead of EAGAIN") {
  test::Child child([] { return pause(); });
  const sys::UniqueFd pidfd = test::must(sys::open_pidfd(child.pid()));
  REQUIRE(fcntl(pidfd.get(), F_SETFL, O_NONBLOCK) == 0);
  CHECK_FALSE(test::must(sys::wait_for_pidfd(pidfd.get(), WEXITED)).has_value());
}

TEST_CASE("waiting refuses what is no child and no pidfd") {
  CHECK(test::failure(sys::wait_for_pid(getpid(), 0)) == "waitpid: ECHILD");
  const sys::UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(test::failure(sys::wait_for_pidfd(file.get(), WEXITED)) == "waitid: EBADF");
}
