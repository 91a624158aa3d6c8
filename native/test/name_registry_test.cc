#include "ipc/name_registry.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <set>
#include <string>
#include <vector>

#include "sys/file_lock.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "test/support/child.h"
#include "test/support/object_name.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

// A segment with that name; its inode.
uint64_t make(const std::string& file) {
  const auto fd = test::must(sys::make_nameless_object(0600));
  test::must(sys::name_shared_memory(fd.get(), file));
  return test::must(sys::file_inode(fd.get()));
}

bool exists(const std::string& file) { return sys::open_shared_memory(file, O_RDONLY, 0).ok(); }

std::set<std::string> left(const ipc::NameRegistry& registry) {
  std::set<std::string> files;
  registry.for_each_left([&](const ipc::NameRegistry::Entry& entry) { files.insert(entry.file); });
  return files;
}

}  // namespace

TEST_CASE("an object gets its name when it is whole, and only a free one") {
  const test::SemaphoreName name;
  const auto fd = test::must(sys::make_nameless_object(0600));
  test::must(sys::reserve_file_space(fd.get(), 0, 10));
  CHECK_FALSE(exists(name.file()));
  test::must(sys::name_shared_memory(fd.get(), name.file()));
  CHECK(exists(name.file()));
  const auto other = test::must(sys::make_nameless_object(0600));
  CHECK(test::failure(sys::name_shared_memory(other.get(), name.file())) == "linkat: EEXIST");
}

TEST_CASE("a registry removes what was written down and still stands for the same object") {
  const test::SemaphoreName own, removed, kept, replaced, later;
  auto registry = test::must(ipc::NameRegistry::create());
  const auto add = [&](const test::SemaphoreName& name) {
    return test::must(registry.add(name.file(), make(name.file())));
  };
  add(removed);
  const uint64_t kept_inode = make(kept.file());
  registry.remove(kept.file(), kept_inode, test::must(registry.add(kept.file(), kept_inode)));
  add(replaced);
  test::must(sys::unlink_shared_memory(replaced.file()));
  make(replaced.file());
  // Who removes an earlier object of the name does not mean this one.
  const uint32_t slot = add(later);
  for (const uint32_t hint : {slot, ipc::NameRegistry::kUnknownSlot}) registry.remove(later.file(), 1, hint);
  test::must(registry.publish(own.file()));
  auto reader = test::must(ipc::NameRegistry::open(own.file()));
  CHECK(left(reader) == std::set<std::string>{removed.file(), later.file()});
  CHECK_FALSE(test::must(sys::try_lock_byte(reader.fd(), ipc::kTreeLives)));
  reader.remove_all(own.file());
  CHECK_FALSE(exists(removed.file()));
  CHECK_FALSE(exists(later.file()));
  CHECK(exists(kept.file()));
  CHECK(exists(replaced.file()));
  CHECK_FALSE(exists(own.file()));
}

TEST_CASE("a registry grows, and its processes see each other's names") {
  const test::SemaphoreName own;
  auto registry = test::must(ipc::NameRegistry::create());
  test::must(registry.publish(own.file()));
  constexpr int kChildren = 4;
  constexpr int kNames = 100;
  const test::SemaphoreName name;
  const uint64_t inode = make(name.file());
  {
    std::vector<test::Child> children;
    for (int child = 0; child < kChildren; ++child) {
      children.emplace_back([&] {
        for (int count = 0; count < kNames; ++count) {
          if (!registry.add(name.file(), inode).ok()) return 1;
        }
        return 0;
      });
    }
    for (test::Child& child : children) CHECK(child.join() == 0);
  }
  int found = 0;
  test::must(registry.refresh());
  registry.for_each_left([&](const ipc::NameRegistry::Entry&) { ++found; });
  CHECK(found == kChildren * kNames);
  registry.remove(name.file(), inode, ipc::NameRegistry::kUnknownSlot);
  CHECK(left(registry).empty());
  CHECK(test::failure(registry.add("/" + std::string(400, 'x'), 1)) == "shm_open: ENAMETOOLONG");
}

TEST_CASE("what is no registry is not taken for one") {
  const test::SemaphoreName name;
  make(name.file());
  CHECK(test::failure(ipc::NameRegistry::open(name.file())) == "shm_open: EPROTO");
  CHECK(test::failure(ipc::NameRegistry::open("/mp-test-there-is-none")) == "shm_open: ENOENT");
}
