#include "sys/flock.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <cstdlib>
#include <string>

#include "sys/unique_fd.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/interruptions.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

// A file without a name, opened as often as needed.
class LockableFile {
 public:
  LockableFile() : first_(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {}
  int fd() const { return first_.get(); }
  sys::UniqueFd open_again() const {
    return sys::UniqueFd(open(("/proc/self/fd/" + std::to_string(first_.get())).c_str(), O_RDWR | O_CLOEXEC));
  }

 private:
  sys::UniqueFd first_;
};

}  // namespace

TEST_CASE("an exclusive lock keeps other openings out until it is released") {
  const LockableFile file;
  const sys::UniqueFd other = file.open_again();
  REQUIRE(other.valid());
  CHECK(test::must(sys::lock_file(file.fd(), LOCK_EX | LOCK_NB)));
  CHECK_FALSE(test::must(sys::lock_file(other.get(), LOCK_EX | LOCK_NB)));
  CHECK_FALSE(test::must(sys::lock_file(other.get(), LOCK_SH | LOCK_NB)));
  CHECK(test::must(sys::lock_file(file.fd(), LOCK_UN)));
  CHECK(test::must(sys::lock_file(other.get(), LOCK_EX | LOCK_NB)));
}

TEST_CASE("shared locks go together") {
  const LockableFile file;
  const sys::UniqueFd other = file.open_again();
  CHECK(test::must(sys::lock_file(file.fd(), LOCK_SH)));
  CHECK(test::must(sys::lock_file(other.get(), LOCK_SH)));
  CHECK_FALSE(test::must(sys::lock_file(other.get(), LOCK_EX | LOCK_NB)));
}

TEST_CASE("a blocking lock outlasts signals until its holder ends") {
  const LockableFile file;
  const test::Interruptions interruptions;
  test::BytePipe held;
  test::Child holder([&] {
    const sys::UniqueFd own = file.open_again();
    if (!sys::lock_file(own.get(), LOCK_EX).ok()) return 1;
    held.send();
    test::Interruptions::outlast();
    return 0;
  });
  REQUIRE(held.receive());
  CHECK(test::must(sys::lock_file(file.fd(), LOCK_EX)));
  CHECK(holder.join() == 0);
}

TEST_CASE("a bad descriptor fails with EBADF") { CHECK(test::failure(sys::lock_file(-1, LOCK_EX)) == "flock: EBADF"); }
