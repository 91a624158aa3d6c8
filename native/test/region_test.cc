#include "ipc/region.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "ipc/sem_record.h"
#include "sys/descriptor.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/process_status.h"
#include "sys/semaphore.h"
#include "test/support/child.h"
#include "test/support/named_semaphore.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

uint32_t value_in(const ipc::SharedRegion& region) {
  return ipc::value_of(ipc::load_halves(region->at<ipc::SemRecord>(0).counts));
}

}  // namespace

TEST_CASE("a region is a semaphore to whoever opens that") {
  const test::SemaphoreName name;
  const auto region = test::must(test::create_semaphore(name.bare(), 3));
  const auto semaphore = test::must(sys::Semaphore::open(name.posix(), 0, 0, 0));
  CHECK(test::must(semaphore.value()) == 3);
  CHECK(test::must(semaphore.try_wait()));
  CHECK(value_in(region) == 2);
}

TEST_CASE("a new semaphore is nowhere to be found before it has its name, and then whole") {
  const test::SemaphoreName name;
  const auto region = test::must(ipc::Region::new_semaphore(0640, 2));
  CHECK(test::failure(ipc::Region::open_semaphore(name.bare())) == "shm_open: ENOENT");
  CHECK(region->fd() >= 0);
  CHECK(region->inode() != 0);
  test::must(region->name(name.bare()));
  CHECK(region->fd() == -1);
  const auto file = test::must(sys::open_shared_memory(name.file(), O_RDONLY, 0));
  CHECK(test::must(sys::file_inode(file.get())) == region->inode());
  CHECK(test::must(sys::file_size(file.get())) == ipc::kSemaphoreFileBytes);
  CHECK(value_in(test::must(ipc::Region::open_semaphore(name.bare()))) == 2);
}

TEST_CASE("a semaphore that a C program has made becomes a region, its value stands") {
  const test::SemaphoreName name;
  const auto semaphore = test::must(sys::Semaphore::open(name.posix(), O_CREAT | O_EXCL, 0600, 5));
  const auto region = test::must(ipc::Region::open_semaphore(name.bare()));
  CHECK(value_in(region) == 5);
  test::must(semaphore.post());
  CHECK(value_in(region) == 6);
  const auto file = test::must(sys::open_shared_memory(name.file(), O_RDONLY, 0));
  CHECK(test::must(sys::file_size(file.get())) == ipc::kSemaphoreFileBytes);
  CHECK(test::must(sys::file_inode(file.get())) == region->inode());
}

TEST_CASE("a name is made once, and found until its one file is unlinked") {
  const test::SemaphoreName name;
  CHECK(test::failure(ipc::Region::open_semaphore(name.bare())) == "shm_open: ENOENT");
  const auto region = test::must(test::create_semaphore(name.bare(), 1));
  CHECK(test::failure(test::create_semaphore(name.bare(), 1)) == "sem_open: EEXIST");
  CHECK(test::must(ipc::Region::open_semaphore(name.bare()))->inode() == region->inode());
  test::must(sys::unlink_semaphore(name.posix()));
  CHECK(test::failure(ipc::Region::open_semaphore(name.bare())) == "shm_open: ENOENT");
  CHECK(test::must(test::create_semaphore(name.bare(), 1))->inode() != region->inode());
}

TEST_CASE("what is no semaphore, or of a later library, is refused") {
  const test::SemaphoreName name;
  const auto file = test::must(sys::open_shared_memory(name.file(), O_CREAT | O_EXCL | O_RDWR, 0600));
  test::must(sys::set_file_size(file.get(), 16));
  CHECK(test::failure(ipc::Region::open_semaphore(name.bare())) == "sem_open: EINVAL");
  test::must(sys::set_file_size(file.get(), 100));
  CHECK(test::failure(ipc::Region::open_semaphore(name.bare())) == "sem_open: EPROTO");
  test::must(sys::unlink_shared_memory(name.file()));

  const auto region = test::must(test::create_semaphore(name.bare(), 1));
  region->at<uint64_t>(ipc::kHeaderOffset) += uint64_t{1} << 48;
  CHECK(test::failure(ipc::Region::open_semaphore(name.bare())) == "sem_open: EPROTO");
}

TEST_CASE("users of several PID namespaces are remembered") {
  const test::SemaphoreName name;
  const auto region = test::must(test::create_semaphore(name.bare(), 1));
  uint64_t& pid_namespace = region->processes().pid_namespace;
  CHECK(pid_namespace == 0);
  test::must(region->processes().enter());
  CHECK(pid_namespace == test::must(sys::pid_namespace()));
  pid_namespace += 1;
  test::must(region->processes().enter());
  CHECK(pid_namespace == ipc::kMixedNamespaces);
  test::must(region->processes().enter());
  CHECK(pid_namespace == ipc::kMixedNamespaces);
}

TEST_CASE("an arena is zero, and the same memory in a forked child") {
  const auto region = test::must(ipc::Region::arena(1 << 20));
  CHECK(region->size() == ipc::kObjectsOffset + (1 << 20));
  auto& word = region->at<uint64_t>(ipc::kObjectsOffset + (1 << 20) - 8);
  CHECK(word == 0);
  CHECK(test::in_child([&] {
          word = 5;
          return 0;
        }) == 0);
  CHECK(word == 5);
}

TEST_CASE("an arena is opened by a copy of its descriptor, and outlives it") {
  const auto region = test::must(ipc::Region::arena(4096));
  const auto other = test::must(ipc::Region::open_arena(test::must(sys::duplicate(region->fd(), 0))));
  CHECK(other->size() == region->size());
  CHECK(test::must(other->processes().enter()) == test::must(region->processes().enter()));
  region->close_file();
  CHECK(region->fd() == -1);
  region->at<uint64_t>(ipc::kObjectsOffset) = 5;
  CHECK(other->at<uint64_t>(ipc::kObjectsOffset) == 5);
}

TEST_CASE("what is no arena is not opened as one, and its descriptor is closed") {
  for (const int64_t size : {int64_t{0}, static_cast<int64_t>(ipc::kObjectsOffset + 64)}) {
    auto file = test::must(sys::make_memory_file("test"));
    const int fd = file.get();
    test::must(sys::set_file_size(fd, size));
    CHECK(test::failure(ipc::Region::open_arena(std::move(file))) == "mmap: EPROTO");
    CHECK(!sys::duplicate(fd, 0).ok());
  }
}
