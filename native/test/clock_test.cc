#include "sys/clock.h"

#include <doctest/doctest.h>

#include <limits>

using namespace mp;

TEST_CASE("a negative or endless time has the deadline that never comes") {
  CHECK(sys::deadline_after(-1) == sys::kForever);
  CHECK(sys::deadline_after(1e18) == sys::kForever);
  CHECK(sys::deadline_after(std::numeric_limits<double>::infinity()) == sys::kForever);
}

TEST_CASE("a deadline is as far away as asked for, fractions included") {
  const sys::Deadline before = sys::monotonic_now();
  CHECK(sys::deadline_after(1.5) - before >= 1'500'000);
}

TEST_CASE("to_timespec splits seconds from nanoseconds") {
  const timespec split = sys::to_timespec(3'000'000'007);
  CHECK(split.tv_sec == 3);
  CHECK(split.tv_nsec == 7);
}

TEST_CASE("poll_timeout rounds up and knows for ever and over") {
  CHECK(sys::poll_timeout(sys::kForever) == -1);
  CHECK(sys::poll_timeout(sys::monotonic_now() - 1) == 0);
  CHECK(sys::poll_timeout(sys::deadline_after(1e15 / 1e6 * 1000)) > 0);
  CHECK(sys::poll_timeout(sys::monotonic_now() + 3'600'000'000'001) >= 3'599'000);
}
