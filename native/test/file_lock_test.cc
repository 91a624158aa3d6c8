#include "sys/file_lock.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>

#include "sys/memory_object.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

// Another open file of the same file.
sys::UniqueFd again(const sys::UniqueFd& fd) {
  return sys::UniqueFd(::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDWR | O_CLOEXEC));
}

}  // namespace

TEST_CASE("the lock of a byte excludes other open files, byte by byte") {
  const auto file = test::must(sys::make_memory_file("lock"));
  const auto other = again(file);
  CHECK_FALSE(test::must(sys::is_byte_locked(other.get(), 0)));
  CHECK(test::must(sys::try_lock_byte(file.get(), 0)));
  CHECK(test::must(sys::try_lock_byte(file.get(), 0)));
  CHECK(test::must(sys::is_byte_locked(other.get(), 0)));
  CHECK_FALSE(test::must(sys::is_byte_locked(file.get(), 0)));
  CHECK_FALSE(test::must(sys::try_lock_byte(other.get(), 0)));
  CHECK(test::must(sys::try_lock_byte(other.get(), 1)));
  CHECK(test::failure(sys::try_lock_byte(-1, 0)) == "fcntl: EBADF");
}

TEST_CASE("the lock goes with the last process that has inherited the file") {
  auto file = test::must(sys::make_memory_file("lock"));
  const auto other = again(file);
  REQUIRE(test::must(sys::try_lock_byte(file.get(), 0)));
  test::Child holder([] {
    for (;;) pause();
    return 0;
  });
  file.reset();
  CHECK(test::must(sys::is_byte_locked(other.get(), 0)));
  kill(holder.pid(), SIGKILL);
  test::must(sys::lock_byte(other.get(), 0));
  CHECK(holder.join() == -SIGKILL);
}
