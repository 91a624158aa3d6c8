#include "sys/sleep.h"

#include <doctest/doctest.h>

#include "test/support/interruptions.h"

using namespace mp;

TEST_CASE("sleep_until returns at once when the deadline is over") {
  CHECK(sys::sleep_until(sys::deadline_after(0)).ok());
  CHECK(sys::sleep_until(0).ok());
}

TEST_CASE("sleep_until lasts to its deadline though signals interrupt it") {
  const test::Interruptions interruptions;
  const sys::Deadline deadline = test::Interruptions::several();
  CHECK(sys::sleep_until(deadline).ok());
  CHECK(sys::monotonic_now() >= deadline);
}
