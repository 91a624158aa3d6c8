#include "ipc/event_flag.h"

#include <doctest/doctest.h>

#include "sys/semaphore.h"
#include "test/support/child.h"
#include "test/support/named_semaphore.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a wait is done when the event is set, or was since the wait began") {
  const auto region = test::must(ipc::Region::arena(64));
  auto& record = region->at<ipc::SemRecord>(ipc::kObjectsOffset);
  ipc::EventFlag before(region, ipc::kObjectsOffset);
  CHECK_FALSE(before.attempt(true).done);
  record.counts.low = 1;
  CHECK(before.attempt(false).done);
  record.epoch += 1;
  record.counts.low = 0;
  CHECK(before.attempt(false).done);
  ipc::EventFlag after(region, ipc::kObjectsOffset);
  CHECK_FALSE(ipc::wait_until(after, sys::deadline_after(5)).done);
}

TEST_CASE("a C program's sem_post sets it for all who wait") {
  const test::SemaphoreName name;
  const auto region = test::must(test::create_semaphore(name.bare(), 0));
  const auto wait = [&] {
    ipc::EventFlag flag(region, 0);
    return ipc::wait_until(flag, sys::kForever).done ? 0 : 1;
  };
  test::Child first(wait), second(wait), third(wait);
  auto& record = region->at<ipc::SemRecord>(0);
  while (ipc::load_halves(record.counts).low < 3 * ipc::kOneWaiter) {
  }
  test::must(test::must(sys::Semaphore::open(name.posix(), 0, 0, 0)).post());
  CHECK(first.join() == 0);
  CHECK(second.join() == 0);
  CHECK(third.join() == 0);
}
