#include "sys/scheduling.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("affinity lists the processors in order") {
  const std::vector<int> cpus = test::must(sys::affinity(0));
  CHECK_FALSE(cpus.empty());
  CHECK(std::ranges::is_sorted(cpus));
}

TEST_CASE("affinity enlarges a mask that the kernel finds too short") {
  CHECK(test::must(sys::affinity(0, 0)) == test::must(sys::affinity(0)));
}

TEST_CASE("affinity takes room for many more processors than a cpu_set_t") {
  CHECK(test::must(sys::affinity(0, size_t{1} << 16)) == test::must(sys::affinity(0)));
}

TEST_CASE("set_affinity restricts a process and ignores processors that do not exist") {
  const int cpu = test::must(sys::affinity(0)).back();
  CHECK(test::in_child([&] {
          if (!sys::set_affinity(0, {cpu, 5000}).ok()) return 1;
          return test::must(sys::affinity(0)) == std::vector<int>{cpu} ? 0 : 2;
        }) == 0);
}

TEST_CASE("set_affinity fails with EINVAL when no processor is left") {
  CHECK(test::failure(sys::set_affinity(0, {5000})) == "sched_setaffinity: EINVAL");
  CHECK(test::failure(sys::set_affinity(0, {})) == "sched_setaffinity: EINVAL");
}

TEST_CASE("affinity of a process that does not exist fails with ESRCH") {
  test::Child child([] { return 0; });
  const pid_t pid = child.pid();
  child.join();
  CHECK(test::failure(sys::affinity(pid)) == "sched_getaffinity: ESRCH");
}

TEST_CASE("priorities can be set and read") {
  CHECK(test::in_child([] {
          if (!sys::set_priority(PRIO_PROCESS, 0, 7).ok()) return 1;
          return sys::priority(PRIO_PROCESS, static_cast<id_t>(getpid())).value() == 7 ? 0 : 2;
        }) == 0);
}

TEST_CASE("a priority of -1 is no error") {
  CHECK(test::in_child([] {
          if (!sys::set_priority(PRIO_PROCESS, 0, -1).ok()) return 0;  // needs CAP_SYS_NICE
          auto priority = sys::priority(PRIO_PROCESS, 0);
          return priority.ok() && priority.value() == -1 ? 0 : 1;
        }) == 0);
}

TEST_CASE("the priority of nobody fails with ESRCH") {
  test::Child child([] { return 0; });
  const auto pid = static_cast<id_t>(child.pid());
  child.join();
  CHECK(test::failure(sys::priority(PRIO_PROCESS, pid)) == "getpriority: ESRCH");
}
