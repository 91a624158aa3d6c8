#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "sys/semaphore.h"
#include "test/support/interruptions.h"
#include "test/support/test_lock.h"

using namespace mp;
using test::acquire;
using test::acquire_until;
using test::ArenaLock;
using test::NamedLock;
using test::try_acquire;

namespace {

bool acquired(const test::Attempt& attempt) { return attempt.acquired && attempt.dead_holder == 0; }

}  // namespace

TEST_CASE_TEMPLATE("one holds the lock until it is released", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  CHECK_FALSE(lock.held());
  CHECK(acquired(try_acquire(lock)));
  CHECK(lock.held());
  CHECK(lock.holder() == lock.self());
  CHECK_FALSE(try_acquire(lock).acquired);
  CHECK(lock.release());
  CHECK_FALSE(lock.held());
  CHECK(lock.holder() == ipc::kNoUser);
  CHECK(acquired(acquire(lock)));
}

TEST_CASE_TEMPLATE("what nobody holds can't be released: the value never exceeds 1", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  CHECK_FALSE(lock.release());
  CHECK(acquired(try_acquire(lock)));
  CHECK(lock.release());
  CHECK_FALSE(lock.release());
  CHECK(acquired(try_acquire(lock)));
  CHECK_FALSE(try_acquire(lock).acquired);
}

TEST_CASE_TEMPLATE("a wait ends false at its deadline, not before", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  const test::Holder holder(lock);
  const sys::Deadline deadline = sys::deadline_after(30);
  CHECK_FALSE(acquire_until(lock, deadline).acquired);
  CHECK(sys::monotonic_now() >= deadline);
  CHECK_FALSE(acquire_until(lock, sys::deadline_after(0)).acquired);
  CHECK(lock.processes().pid_of(lock.holder()) == holder.pid());
}

TEST_CASE_TEMPLATE("a wait outlasts signals until the holder releases", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::BytePipe held;
  test::Child holder([&] {
    if (!try_acquire(lock).acquired) return 1;
    held.send();
    test::Interruptions::outlast();
    return lock.release() ? 0 : 2;
  });
  held.close_write_end();
  REQUIRE(held.receive());
  const test::Interruptions interruptions;
  CHECK(acquired(acquire(lock)));
  CHECK(holder.join() == 0);
}

TEST_CASE_TEMPLATE("any process may release; a child holds nothing of its parent's", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  REQUIRE(acquired(try_acquire(lock)));
  CHECK(test::in_child([&] {
          if (lock.holder() == lock.self() || try_acquire(lock).acquired) return 1;
          if (!lock.release()) return 2;
          return try_acquire(lock).acquired ? 0 : 3;
        }) == 0);
}

TEST_CASE_TEMPLATE("who comes after a holder's death takes over, at once and once", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::Holder holder(lock);
  const pid_t dead = holder.pid();
  holder.die();
  CHECK(lock.held());
  const test::Attempt attempt = try_acquire(lock);
  CHECK(attempt.acquired);
  CHECK(attempt.dead_holder == dead);
  CHECK(lock.holder() == lock.self());
  CHECK_FALSE(try_acquire(lock).acquired);
  CHECK(lock.release());
  CHECK_FALSE(lock.release());
  CHECK(acquired(try_acquire(lock)));
}

TEST_CASE_TEMPLATE("a holder that is dead and not reaped is dead", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::Child holder([&] { return try_acquire(lock).acquired ? 0 : 1; });
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(holder.pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(acquire(lock).dead_holder == holder.pid());
}

TEST_CASE_TEMPLATE("of those who wait when the holder dies exactly one takes over, the others get it in turn", Lock,
                   NamedLock, ArenaLock) {
  constexpr int kWaiters = 4;
  for (int round = 0; round < 10; ++round) {
    const Lock lock;
    test::Holder holder(lock);
    const pid_t dead = holder.pid();
    std::vector<std::unique_ptr<test::Child>> waiters;
    for (int i = 0; i < kWaiters; ++i) {
      waiters.push_back(std::make_unique<test::Child>([&] {
        const test::Attempt attempt = acquire(lock);
        if (!attempt.acquired || !lock.release()) return 1;
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
    CHECK_FALSE(lock.held());
  }
}

TEST_CASE("a C program's semaphore and the lock exclude each other and wake each other") {
  const NamedLock lock;
  const auto semaphore = test::must(sys::Semaphore::open(lock.name().posix(), 0, 0, 0));
  REQUIRE(test::must(semaphore.try_wait()));
  CHECK(lock.held());
  CHECK(lock.holder() == ipc::kNoUser);
  CHECK_FALSE(try_acquire(lock).acquired);
  test::must(semaphore.post());
  for (int round = 0; round < 200; ++round) {
    REQUIRE(acquire(lock).acquired);
    test::Child c_program([&] { return semaphore.wait_until(sys::kForever).ok() && semaphore.post().ok() ? 0 : 1; });
    CHECK(lock.release());
    CHECK(acquire(lock).acquired);
    CHECK(lock.release());
    CHECK(c_program.join() == 0);
  }
  CHECK(test::must(semaphore.value()) == 1);
}

TEST_CASE("the death of a holder that leaves no name is not noticed") {
  const NamedLock lock;
  const auto semaphore = test::must(sys::Semaphore::open(lock.name().posix(), 0, 0, 0));
  CHECK(test::in_child([&] { return semaphore.try_wait().ok() ? 0 : 1; }) == 0);
  CHECK_FALSE(acquire_until(lock, sys::deadline_after(150)).acquired);
  CHECK(lock.release());
}

TEST_CASE_TEMPLATE("a reused pid does not pass for the holder", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  const ipc::UserToken own = lock.self();
  REQUIRE(try_acquire(lock, own).acquired);
  lock.processes().entries[ipc::index_of(own)].low -= 1;  // started earlier: another process, with this pid
  const ipc::UserToken later = lock.self();
  REQUIRE(later != own);
  CHECK(try_acquire(lock, later).dead_holder == getpid());
}

TEST_CASE_TEMPLATE("nobody takes over where pids of several namespaces meet", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::Holder(lock).die();
  lock.self();
  lock.processes().pid_namespace = ipc::kMixedNamespaces;
  CHECK_FALSE(try_acquire(lock).acquired);
  CHECK(lock.held());
}
