#include "sys/semaphore.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <limits.h>

#include "test/support/child.h"
#include "test/support/interruptions.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

sys::Semaphore make(const test::SemaphoreName& name, unsigned value) {
  return test::must(sys::Semaphore::open(name.posix(), O_CREAT | O_EXCL, 0600, value));
}

sys::Semaphore reopen(const test::SemaphoreName& name) {
  return test::must(sys::Semaphore::open(name.posix(), 0, 0, 0));
}

}  // namespace

TEST_CASE("a semaphore has the units that it was made with, for everybody who opens it") {
  const test::SemaphoreName name;
  const auto made = make(name, 2);
  const auto same = reopen(name);
  CHECK(test::must(made.try_wait()));
  CHECK(test::must(same.try_wait()));
  CHECK_FALSE(test::must(made.try_wait()));
  CHECK(test::must(same.value()) == 0);
  test::must(made.post());
  CHECK(test::must(same.value()) == 1);
}

TEST_CASE("the name is taken until it is unlinked; who has it open keeps it") {
  const test::SemaphoreName name;
  const auto old = make(name, 1);
  CHECK(test::failure(sys::Semaphore::open(name.posix(), O_CREAT | O_EXCL, 0600, 1)) == "sem_open: EEXIST");
  test::must(sys::unlink_semaphore(name.posix()));
  CHECK(test::failure(sys::unlink_semaphore(name.posix())) == "sem_unlink: ENOENT");
  CHECK(test::failure(sys::Semaphore::open(name.posix(), 0, 0, 0)) == "sem_open: ENOENT");
  const auto other = make(name, 5);
  CHECK(test::must(old.value()) == 1);
  CHECK(test::must(other.value()) == 5);
}

TEST_CASE("a wait ends false at its deadline, not before") {
  const test::SemaphoreName name;
  const auto semaphore = make(name, 0);
  const sys::Deadline deadline = sys::deadline_after(30);
  CHECK_FALSE(test::must(semaphore.wait_until(deadline)));
  CHECK(sys::monotonic_now() >= deadline);
  CHECK_FALSE(test::must(semaphore.wait_until(sys::deadline_after(0))));
  test::must(semaphore.post());
  CHECK(test::must(semaphore.wait_until(sys::deadline_after(0))));
}

TEST_CASE("a wait outlasts signals until another process posts") {
  const test::SemaphoreName name;
  const auto semaphore = make(name, 0);
  const test::Interruptions interruptions;
  for (const sys::Deadline deadline : {sys::kForever, sys::deadline_after(60'000)}) {
    test::Child poster([&] {
      test::Interruptions::outlast();
      return semaphore.post().ok() ? 0 : 1;
    });
    CHECK(test::must(semaphore.wait_until(deadline)));
    CHECK(poster.join() == 0);
  }
}

TEST_CASE("what a killed process has taken stays taken") {
  const test::SemaphoreName name;
  const auto semaphore = make(name, 1);
  CHECK(test::in_child([&] {
          if (semaphore.try_wait().ok()) raise(SIGKILL);
          return 1;
        }) == -SIGKILL);
  CHECK_FALSE(test::must(semaphore.try_wait()));
}

TEST_CASE("the value has an upper end") {
  const test::SemaphoreName name;
  const auto semaphore = make(name, SEM_VALUE_MAX);
  CHECK(test::failure(semaphore.post()) == "sem_post: EOVERFLOW");
  CHECK(test::failure(sys::Semaphore::open("/x", O_CREAT, 0600, SEM_VALUE_MAX + 1u)) == "sem_open: EINVAL");
}

TEST_CASE("moving hands the opening over") {
  const test::SemaphoreName name;
  auto first = make(name, 1);
  auto second(std::move(first));
  CHECK_FALSE(first.valid());
  first = std::move(second);
  CHECK(first.valid());
  CHECK(test::must(first.try_wait()));
  first.close();
  CHECK_FALSE(first.valid());
  first.close();
}
