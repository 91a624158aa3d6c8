#include "ipc/sem_lock.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "sys/semaphore.h"
#include "test/support/interruptions.h"
#include "test/support/test_lock.h"

using namespace mp;
using test::self;
using test::TestLock;

namespace {

bool acquired(const ipc::Attempt& attempt) { return attempt.acquired && attempt.dead_holder == 0; }

}  // namespace

TEST_CASE("one holds the lock until it is released") {
  const TestLock lock;
  CHECK_FALSE(lock->held());
  CHECK(acquired(lock->try_acquire(self())));
  CHECK(lock->held());
  CHECK(lock->holder() == self());
  CHECK_FALSE(lock->try_acquire(self()).acquired);
  CHECK(lock->release());
  CHECK_FALSE(lock->held());
  CHECK(lock->holder() == ipc::kNobody);
  CHECK(acquired(lock->acquire_until(self(), sys::kForever)));
}

TEST_CASE("what nobody holds can't be released: the value never exceeds 1") {
  const TestLock lock;
  CHECK_FALSE(lock->release());
  CHECK(acquired(lock->try_acquire(self())));
  CHECK(lock->release());
  CHECK_FALSE(lock->release());
  CHECK(acquired(lock->try_acquire(self())));
  CHECK_FALSE(lock->try_acquire(self()).acquired);
}

TEST_CASE("a wait ends false at its deadline, not before") {
  const TestLock lock;
  const test::Holder holder(lock);
  const sys::Deadline deadline = sys::deadline_after(30);
  CHECK_FALSE(lock->acquire_until(self(), deadline).acquired);
  CHECK(sys::monotonic_now() >= deadline);
  CHECK_FALSE(lock->acquire_until(self(), sys::deadline_after(0)).acquired);
  CHECK(ipc::pid_of(lock->holder()) == holder.pid());
}

TEST_CASE("a wait outlasts signals until the holder releases") {
  const TestLock lock;
  test::BytePipe held;
  test::Child holder([&] {
    if (!lock->try_acquire(self()).acquired) return 1;
    held.send();
    test::Interruptions::outlast();
    return lock->release() ? 0 : 2;
  });
  held.close_write_end();
  REQUIRE(held.receive());
  const test::Interruptions interruptions;
  CHECK(acquired(lock->acquire_until(self(), sys::kForever)));
  CHECK(holder.join() == 0);
}

TEST_CASE("any process may release; a child holds nothing of its parent's") {
  const TestLock lock;
  REQUIRE(acquired(lock->try_acquire(self())));
  CHECK(test::in_child([&] {
          if (lock->holder() == self() || lock->try_acquire(self()).acquired) return 1;
          if (!lock->release()) return 2;
          return lock->try_acquire(self()).acquired ? 0 : 3;
        }) == 0);
}

TEST_CASE("who comes after a holder's death takes over, at once and once") {
  const TestLock lock;
  test::Holder holder(lock);
  const pid_t dead = holder.pid();
  holder.die();
  CHECK(lock->held());
  const ipc::Attempt attempt = lock->try_acquire(self());
  CHECK(attempt.acquired);
  CHECK(attempt.dead_holder == dead);
  CHECK(lock->holder() == self());
  CHECK_FALSE(lock->try_acquire(self()).acquired);
  CHECK(lock->release());
  CHECK_FALSE(lock->release());
  CHECK(acquired(lock->try_acquire(self())));
}

TEST_CASE("a holder that is dead and not reaped is dead") {
  const TestLock lock;
  test::Child holder([&] { return lock->try_acquire(self()).acquired ? 0 : 1; });
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(holder.pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(lock->acquire_until(self(), sys::kForever).dead_holder == holder.pid());
}

TEST_CASE("of those who wait when the holder dies exactly one takes over, the others get it in turn") {
  constexpr int kWaiters = 4;
  for (int round = 0; round < 10; ++round) {
    const TestLock lock;
    test::Holder holder(lock);
    const pid_t dead = holder.pid();
    std::vector<std::unique_ptr<test::Child>> waiters;
    for (int i = 0; i < kWaiters; ++i) {
      waiters.push_back(std::make_unique<test::Child>([&] {
        const ipc::Attempt attempt = lock->acquire_until(self(), sys::kForever);
        if (!attempt.acquired || !lock->release()) return 1;
        return attempt.dead_holder == dead ? 42 : attempt.dead_holder == 0 ? 0 : 2;
      }));
    }
    holder.die();
    int taken_over = 0;
    for (auto& waiter : waiters) {
      const int code = waiter->join();
      if (code == 42) taken_over += 1;
      if (code != 42) CHECK(code == 0);
    }
    CHECK(taken_over == 1);
    CHECK_FALSE(lock->held());
  }
}

TEST_CASE("a C program's semaphore and the lock exclude each other and wake each other") {
  const TestLock lock;
  const auto semaphore = test::must(sys::Semaphore::open(lock.name().posix(), 0, 0, 0));
  REQUIRE(test::must(semaphore.try_wait()));
  CHECK(lock->held());
  CHECK(lock->holder() == ipc::kNobody);
  CHECK_FALSE(lock->try_acquire(self()).acquired);
  test::must(semaphore.post());
  for (int round = 0; round < 200; ++round) {
    REQUIRE(lock->acquire_until(self(), sys::kForever).acquired);
    test::Child c_program([&] {
      return semaphore.wait_until(sys::kForever).ok() && semaphore.post().ok() ? 0 : 1;
    });
    CHECK(lock->release());
    CHECK(lock->acquire_until(self(), sys::kForever).acquired);
    CHECK(lock->release());
    CHECK(c_program.join() == 0);
  }
  CHECK(test::must(semaphore.value()) == 1);
}

TEST_CASE("the death of a holder that leaves no name is not noticed") {
  const TestLock lock;
  const auto semaphore = test::must(sys::Semaphore::open(lock.name().posix(), 0, 0, 0));
  CHECK(test::in_child([&] { return semaphore.try_wait().ok() ? 0 : 1; }) == 0);
  CHECK_FALSE(lock->acquire_until(self(), sys::deadline_after(150)).acquired);
  CHECK(lock->release());
}

TEST_CASE("a reused pid does not pass for the holder") {
  const TestLock lock;
  const ipc::ProcessToken earlier = self() ^ (1u << 31);  // this pid, another start time
  REQUIRE(lock->try_acquire(earlier).acquired);
  CHECK(lock->try_acquire(self()).dead_holder == ipc::pid_of(earlier));
}

TEST_CASE("nobody takes over where pids of several namespaces meet") {
  const TestLock lock;
  test::Holder(lock).die();
  lock.record().pid_namespace = ipc::kMixedNamespaces;
  CHECK_FALSE(lock->try_acquire(self()).acquired);
  CHECK(lock->held());
}
