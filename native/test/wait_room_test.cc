#include "ipc/wait_room.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <vector>

#include "sys/sleep.h"
#include "test/support/test_lock.h"

using namespace mp;
using test::ArenaLock;
using test::NamedLock;
using test::try_acquire;

namespace {

using Room = std::shared_ptr<ipc::WaitRoom>;

Room make_room() { return test::must(ipc::WaitRoom::create()); }

template <typename Lock>
ipc::WaitRoom::Ticket start(const Room& room, const Lock& lock) {
  return test::must(ipc::WaitRoom::start(room, lock.wait(lock.self())));
}

bool is_readable(const Room& room, sys::Deadline deadline = 0) {
  pollfd entry{.fd = room->fd(), .events = POLLIN, .revents = 0};
  return test::must(sys::poll_until({&entry, 1}, deadline)) == 1;
}

}  // namespace

TEST_CASE_TEMPLATE("the room's descriptor is readable once a wait is done", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::Holder holder(lock);
  const Room room = make_room();
  const auto ticket = start(room, lock);
  CHECK_FALSE(is_readable(room));
  CHECK(holder.release() == 0);
  CHECK(is_readable(room, sys::kForever));
  CHECK(room->done() == std::vector{ticket});
  CHECK_FALSE(is_readable(room));
  CHECK(lock.holder() == lock.self());
  CHECK(room->stop(ticket).done);
  CHECK_FALSE(room->stop(ticket).done);
  CHECK(lock.release());
  room->close();
}

TEST_CASE_TEMPLATE("it tells from whom it has taken over", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::Holder holder(lock);
  const pid_t dead = holder.pid();
  const Room room = make_room();
  const auto ticket = start(room, lock);
  holder.die();
  CHECK(is_readable(room, sys::kForever));
  CHECK(room->stop(ticket).detail == dead);
  room->close();
}

TEST_CASE_TEMPLATE("whoever has taken over and is not wanted any more leaves the dead holder to the next", Lock,
                   NamedLock, ArenaLock) {
  const Lock lock;
  test::Holder holder(lock);
  const pid_t dead = holder.pid();
  const Room room = make_room();
  const auto ticket = start(room, lock);
  holder.die();
  CHECK(is_readable(room, sys::kForever));
  room->cancel(ticket);
  CHECK(try_acquire(lock).dead_holder == dead);
  room->close();
}

TEST_CASE_TEMPLATE("after stop() it takes nothing", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  const Room room = make_room();
  for (int round = 0; round < 300; ++round) {
    REQUIRE(try_acquire(lock).acquired);
    const auto ticket = start(room, lock);
    REQUIRE(lock.release());
    // Now the thread may or may not be in time.
    const bool taken = room->stop(ticket).done;
    REQUIRE(lock.held() == taken);
    if (taken) REQUIRE(lock.release());
  }
  room->close();
}

TEST_CASE_TEMPLATE("a wait that ends passes its wake on", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  const Room room = make_room();
  const Room other = make_room();
  for (int round = 0; round < 100; ++round) {
    REQUIRE(try_acquire(lock).acquired);
    const auto leaving = start(room, lock);
    const auto staying = start(other, lock);
    REQUIRE(lock.release());
    const bool taken = room->stop(leaving).done;
    if (taken) REQUIRE(lock.release());
    REQUIRE(is_readable(other, sys::kForever));
    other->done();
    REQUIRE(other->stop(staying).done);
    REQUIRE(lock.release());
  }
  room->close();
  other->close();
}

TEST_CASE("a thousand waits end, each by its own lock") {
  const std::vector<ArenaLock> locks(1000);
  for (const ArenaLock& lock : locks) REQUIRE(try_acquire(lock).acquired);
  const Room room = make_room();
  std::vector<ipc::WaitRoom::Ticket> tickets;
  for (const ArenaLock& lock : locks) tickets.push_back(start(room, lock));
  for (size_t i = 0; i < locks.size(); i += 2) REQUIRE(locks[i].release());
  for (size_t i = 0; i < locks.size(); i += 2) {
    while (!locks[i].held()) static_cast<void>(sys::sleep_until(sys::deadline_after(0.1)));
  }
  for (size_t i = 0; i < locks.size(); ++i) REQUIRE(room->stop(tickets[i]).done == (i % 2 == 0));
  room->close();
}

TEST_CASE_TEMPLATE("a forked child leaves its parent's room alone and makes its own", Lock, NamedLock, ArenaLock) {
  const Lock lock;
  test::Holder holder(lock);
  const Room room = make_room();
  const auto ticket = start(room, lock);
  test::BytePipe waits;
  test::Child child([&] {
    if (room->of_this_process()) return 1;
    const int fd = room->fd();
    room->abandon();
    if (fcntl(fd, F_GETFD) != -1) return 2;
    const Room own = make_room();
    const auto mine = ipc::WaitRoom::start(own, lock.wait(lock.self()));
    if (!mine.ok()) return 3;
    waits.send();
    if (!is_readable(own, sys::kForever)) return 4;
    return own->stop(mine.value()).done && lock.release() ? 0 : 5;
  });
  waits.close_write_end();
  REQUIRE(waits.receive());
  CHECK(holder.release() == 0);
  CHECK(is_readable(room, sys::kForever));
  CHECK(room->stop(ticket).done);
  CHECK(lock.release());
  CHECK(child.join() == 0);
  room->close();
}
