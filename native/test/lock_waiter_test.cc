#include "ipc/lock_waiter.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "sys/poll_wait.h"
#include "sys/sleep.h"
#include "test/support/test_lock.h"

using namespace mp;
using test::self;
using test::TestLock;

namespace {

using Waiter = std::shared_ptr<ipc::LockWaiter>;

Waiter make_waiter(const TestLock& lock) { return test::must(ipc::LockWaiter::create(*lock)); }

bool is_readable(const Waiter& waiter, sys::Deadline deadline = 0) {
  pollfd entry{.fd = waiter->fd(), .events = POLLIN, .revents = 0};
  return test::must(sys::poll_until({&entry, 1}, deadline)) == 1;
}

}  // namespace

TEST_CASE("the waiter's descriptor is readable once it has the unit") {
  const TestLock lock;
  test::Holder holder(lock);
  const Waiter waiter = make_waiter(lock);
  test::must(ipc::LockWaiter::start(waiter, self()));
  CHECK_FALSE(is_readable(waiter));
  CHECK(holder.release() == 0);
  CHECK(is_readable(waiter, sys::kForever));
  CHECK(lock->holder() == self());
  CHECK(waiter->stop().acquired);
  CHECK_FALSE(is_readable(waiter));
  CHECK(lock->release());
}

TEST_CASE("it tells from whom it has taken over") {
  const TestLock lock;
  test::Holder holder(lock);
  const pid_t dead = holder.pid();
  const Waiter waiter = make_waiter(lock);
  test::must(ipc::LockWaiter::start(waiter, self()));
  holder.die();
  CHECK(is_readable(waiter, sys::kForever));
  CHECK(waiter->stop().dead_holder == dead);
}

TEST_CASE("after stop() it takes nothing, and may be started again, as often as wanted") {
  const TestLock lock;
  const Waiter waiter = make_waiter(lock);
  for (int round = 0; round < 300; ++round) {
    REQUIRE(lock->try_acquire(self()).acquired);
    test::must(ipc::LockWaiter::start(waiter, self()));
    REQUIRE(lock->release());
    // Now the thread may or may not be in time.
    const bool taken = waiter->stop().acquired;
    REQUIRE(lock->held() == taken);
    if (taken) REQUIRE(lock->release());
    REQUIRE_FALSE(is_readable(waiter));
  }
}

TEST_CASE("a waiter that leaves passes the wake on") {
  const TestLock lock;
  for (int round = 0; round < 100; ++round) {
    REQUIRE(lock->try_acquire(self()).acquired);
    const Waiter leaving = make_waiter(lock);
    test::must(ipc::LockWaiter::start(leaving, self()));
    const Waiter staying = make_waiter(lock);
    test::must(ipc::LockWaiter::start(staying, self()));
    REQUIRE(lock->release());
    const bool taken = leaving->stop().acquired;
    if (taken) REQUIRE(lock->release());
    REQUIRE(is_readable(staying, sys::kForever));
    REQUIRE(staying->stop().acquired);
    REQUIRE(lock->release());
  }
}

TEST_CASE("a forked child leaves its parent's waiter alone and makes its own") {
  const TestLock lock;
  test::Holder holder(lock);
  const Waiter waiter = make_waiter(lock);
  test::must(ipc::LockWaiter::start(waiter, self()));
  test::BytePipe waits;
  test::Child child([&] {
    if (waiter->of_this_process()) return 1;
    const int fd = waiter->fd();
    waiter->abandon();
    if (fcntl(fd, F_GETFD) != -1) return 2;
    const Waiter own = make_waiter(lock);
    if (!ipc::LockWaiter::start(own, self()).ok()) return 3;
    waits.send();
    if (!is_readable(own, sys::kForever)) return 4;
    return own->stop().acquired && lock->release() ? 0 : 5;
  });
  waits.close_write_end();
  REQUIRE(waits.receive());
  CHECK(holder.release() == 0);
  CHECK(is_readable(waiter, sys::kForever));
  CHECK(waiter->stop().acquired);
  CHECK(lock->release());
  CHECK(child.join() == 0);
}
