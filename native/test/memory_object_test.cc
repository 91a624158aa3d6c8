#include "sys/memory_object.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "sys/file_size.h"
#include "test/support/interruptions.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

sys::Result<sys::UniqueFd> make(const std::string& name) {
  return sys::open_shared_memory(name, O_CREAT | O_EXCL | O_RDWR, 0600);
}

bool is_close_on_exec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST_CASE("a memory object is found by its name until it is unlinked") {
  const test::SemaphoreName name;
  const auto made = test::must(make(name.file()));
  CHECK(is_close_on_exec(made.get()));
  CHECK(test::failure(make(name.file())) == "shm_open: EEXIST");
  const auto found = test::must(sys::open_shared_memory(name.file(), O_RDONLY, 0));
  CHECK(test::must(sys::file_inode(found.get())) == test::must(sys::file_inode(made.get())));
  test::must(sys::unlink_shared_memory(name.file()));
  CHECK(test::failure(sys::open_shared_memory(name.file(), O_RDWR, 0)) == "shm_open: ENOENT");
  CHECK(test::failure(sys::unlink_shared_memory(name.file())) == "shm_unlink: ENOENT");
}

TEST_CASE("a name with a second slash is refused") { CHECK(test::failure(make("/a/b")) == "shm_open: EINVAL"); }

TEST_CASE("a memory file has no name and is close-on-exec") {
  const auto fd = test::must(sys::make_memory_file("label"));
  CHECK(is_close_on_exec(fd.get()));
  CHECK(test::must(sys::file_size(fd.get())) == 0);
  CHECK(test::failure(sys::make_memory_file(std::string(250, 'x'))) == "memfd_create: EINVAL");
}

TEST_CASE("a file grows and shrinks, and space is reserved where asked for") {
  const auto fd = test::must(sys::make_memory_file("size"));
  test::must(sys::set_file_size(fd.get(), 10'000));
  CHECK(test::must(sys::file_size(fd.get())) == 10'000);
  const auto blocks = [&] {
    struct stat status;
    REQUIRE(fstat(fd.get(), &status) == 0);
    return status.st_blocks;
  };
  CHECK(blocks() == 0);
  test::must(sys::reserve_file_space(fd.get(), 5'000, 15'000));
  CHECK(test::must(sys::file_size(fd.get())) == 20'000);
  CHECK(blocks() * 512 >= 15'000);
  test::must(sys::set_file_size(fd.get(), 1));
  CHECK(test::must(sys::file_size(fd.get())) == 1);
  CHECK(test::failure(sys::set_file_size(-1, 1)) == "ftruncate: EBADF");
  CHECK(test::failure(sys::file_size(-1)) == "fstat: EBADF");
}

TEST_CASE("more than there is can't be reserved, and nothing is") {
  const test::SemaphoreName name;
  const auto fd = test::must(make(name.file()));
  struct statvfs space;
  REQUIRE(fstatvfs(fd.get(), &space) == 0);
  const auto all = static_cast<int64_t>(space.f_blocks * space.f_frsize);
  CHECK(test::failure(sys::reserve_file_space(fd.get(), 0, all + 4096)) == "posix_fallocate: ENOSPC");
  CHECK(test::must(sys::file_size(fd.get())) == 0);
}

TEST_CASE("reserving outlasts signals") {
  const auto fd = test::must(sys::make_memory_file("interrupted"));
  const test::Interruptions interruptions;
  for (int round = 0; round < 20; ++round) {
    test::must(sys::reserve_file_space(fd.get(), 0, 4 << 20));
    test::must(sys::set_file_size(fd.get(), 0));
  }
}
