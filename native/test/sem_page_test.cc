#include "ipc/sem_page.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/process_status.h"
#include "sys/semaphore.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

uint32_t value_in(const ipc::SemPage& page) { return static_cast<uint32_t>(page.record().counts.low); }

}  // namespace

TEST_CASE("a page is a semaphore to whoever opens that") {
  const test::SemaphoreName name;
  const auto page = test::must(ipc::SemPage::create(name.bare(), 0600, 3));
  const auto semaphore = test::must(sys::Semaphore::open(name.posix(), 0, 0, 0));
  CHECK(test::must(semaphore.value()) == 3);
  CHECK(test::must(semaphore.try_wait()));
  CHECK(value_in(page) == 2);
  CHECK(page.record().pid_namespace == test::must(sys::pid_namespace()));
}

TEST_CASE("a semaphore that a C program has made becomes a page, its value stands") {
  const test::SemaphoreName name;
  const auto semaphore = test::must(sys::Semaphore::open(name.posix(), O_CREAT | O_EXCL, 0600, 5));
  const auto page = test::must(ipc::SemPage::open(name.bare()));
  CHECK(value_in(page) == 5);
  test::must(semaphore.post());
  CHECK(value_in(page) == 6);
  const auto file = test::must(sys::open_shared_memory(name.file(), O_RDONLY, 0));
  CHECK(test::must(sys::file_size(file.get())) == ipc::kSemPageBytes);
  CHECK(test::must(sys::file_inode(file.get())) == page.inode());
}

TEST_CASE("a name is made once, and found until its one file is unlinked") {
  const test::SemaphoreName name;
  CHECK(test::failure(ipc::SemPage::open(name.bare())) == "shm_open: ENOENT");
  const auto page = test::must(ipc::SemPage::create(name.bare(), 0600, 1));
  CHECK(test::failure(ipc::SemPage::create(name.bare(), 0600, 1)) == "sem_open: EEXIST");
  CHECK(test::must(ipc::SemPage::open(name.bare())).inode() == page.inode());
  test::must(sys::unlink_semaphore(name.posix()));
  CHECK(test::failure(ipc::SemPage::open(name.bare())) == "shm_open: ENOENT");
  CHECK(test::must(ipc::SemPage::create(name.bare(), 0600, 1)).inode() != page.inode());
}

TEST_CASE("what is no semaphore, or of a later library, is refused") {
  const test::SemaphoreName name;
  const auto file = test::must(sys::open_shared_memory(name.file(), O_CREAT | O_EXCL | O_RDWR, 0600));
  test::must(sys::set_file_size(file.get(), 16));
  CHECK(test::failure(ipc::SemPage::open(name.bare())) == "sem_open: EINVAL");
  test::must(sys::set_file_size(file.get(), 100));
  CHECK(test::failure(ipc::SemPage::open(name.bare())) == "sem_open: EPROTO");
  test::must(sys::unlink_shared_memory(name.file()));

  const auto page = test::must(ipc::SemPage::create(name.bare(), 0600, 1));
  page.record().signature += uint64_t{1} << 48;
  CHECK(test::failure(ipc::SemPage::open(name.bare())) == "sem_open: EPROTO");
}

TEST_CASE("users of several PID namespaces are remembered") {
  const test::SemaphoreName name;
  const auto page = test::must(ipc::SemPage::create(name.bare(), 0600, 1));
  test::must(ipc::SemPage::open(name.bare()));
  CHECK(page.record().pid_namespace != ipc::kMixedNamespaces);
  page.record().pid_namespace += 1;
  test::must(ipc::SemPage::open(name.bare()));
  CHECK(page.record().pid_namespace == ipc::kMixedNamespaces);
  test::must(ipc::SemPage::open(name.bare()));
  CHECK(page.record().pid_namespace == ipc::kMixedNamespaces);
}
