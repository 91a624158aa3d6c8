#include "sys/mapping.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <thread>

#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

constexpr size_t kPage = 4096;

sys::UniqueFd make_file(size_t size) {
  auto fd = test::must(sys::make_memory_file("test"));
  test::must(sys::set_file_size(fd.get(), static_cast<int64_t>(size)));
  return fd;
}

}  // namespace

TEST_CASE("two shared mappings of a file are the same memory, also after the descriptor is closed") {
  sys::UniqueFd fd = make_file(kPage);
  const auto first = test::must(sys::Mapping::shared(fd.get(), kPage));
  const auto second = test::must(sys::Mapping::shared(fd.get(), kPage));
  fd.reset();
  first.data()[kPage - 1] = std::byte{7};
  CHECK(second.data()[kPage - 1] == std::byte{7});
}

TEST_CASE("a forked child writes to the same shared memory, and unmaps only its own") {
  sys::UniqueFd fd = make_file(kPage);
  auto mapping = test::must(sys::Mapping::shared(fd.get(), kPage));
  CHECK(test::in_child([&] {
          mapping.data()[0] = std::byte{9};
          return mapping.unmap().ok() ? 0 : 1;
        }) == 0);
  CHECK(mapping.data()[0] == std::byte{9});
}

TEST_CASE("a private mapping keeps its writes to itself until they are discarded") {
  const sys::UniqueFd fd = make_file(2 * kPage);
  const auto shared = test::must(sys::Mapping::shared(fd.get(), 2 * kPage));
  const auto own =
      test::must(sys::Mapping::create(fd.get(), 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE));
  own.data()[0] = std::byte{1};
  shared.data()[0] = std::byte{2};
  shared.data()[kPage] = std::byte{3};
  CHECK(own.data()[0] == std::byte{1});
  CHECK(own.data()[kPage] == std::byte{3});
  CHECK(shared.data()[0] == std::byte{2});
  test::must(own.discard_writes());
  CHECK(own.data()[0] == std::byte{2});
  shared.data()[0] = std::byte{4};
  CHECK(own.data()[0] == std::byte{4});
}

TEST_CASE("an offset maps a later part of the file") {
  const sys::UniqueFd fd = make_file(2 * kPage);
  const auto whole = test::must(sys::Mapping::shared(fd.get(), 2 * kPage));
  const auto part = test::must(sys::Mapping::create(fd.get(), kPage, PROT_READ, MAP_SHARED, kPage));
  whole.data()[kPage + 5] = std::byte{6};
  CHECK(part.data()[5] == std::byte{6});
  CHECK(test::failure(sys::Mapping::create(fd.get(), kPage, PROT_READ, MAP_SHARED, 5)) == "mmap: EINVAL");
}

TEST_CASE("moving hands the memory over; unmapping gives it back once") {
  const sys::UniqueFd fd = make_file(kPage);
  auto first = test::must(sys::Mapping::shared(fd.get(), kPage));
  std::byte* const address = first.data();
  sys::Mapping second(std::move(first));
  CHECK_FALSE(first.valid());
  CHECK(second.data() == address);
  first = std::move(second);
  CHECK(first.data() == address);
  test::must(first.unmap());
  CHECK_FALSE(first.valid());
  CHECK(msync(address, kPage, MS_ASYNC) == -1);
  CHECK(first.unmap().ok());
}

TEST_CASE("replacing a mapping unmaps the old one") {
  const sys::UniqueFd fd = make_file(kPage);
  auto mapping = test::must(sys::Mapping::shared(fd.get(), kPage));
  std::byte* const old = mapping.data();
  mapping = test::must(sys::Mapping::shared(fd.get(), kPage));
  CHECK(msync(old, kPage, MS_ASYNC) == -1);
  CHECK(mapping.valid());
}

TEST_CASE("sync writes a range back and refuses what is outside") {
  const sys::UniqueFd fd = make_file(2 * kPage);
  const auto mapping = test::must(sys::Mapping::shared(fd.get(), 2 * kPage));
  test::must(mapping.sync(kPage, kPage, MS_SYNC));
  CHECK(test::failure(mapping.sync(1, 1, MS_SYNC)) == "msync: EINVAL");
  CHECK(test::failure(mapping.sync(kPage, kPage + 1, MS_SYNC)) == "msync: ENOMEM");
  CHECK(test::failure(mapping.sync(SIZE_MAX, 2, MS_SYNC)) == "msync: ENOMEM");
}

TEST_CASE("nothing can't be mapped, nor a bad descriptor") {
  CHECK(test::failure(sys::Mapping::shared(-1, kPage)) == "mmap: EBADF");
  const sys::UniqueFd fd = make_file(kPage);
  CHECK(test::failure(sys::Mapping::shared(fd.get(), 0)) == "mmap: EINVAL");
}

TEST_CASE("pages of a shared mapping become the process's own, with what is in them, and outlive it") {
  constexpr size_t kPages = 6;
  sys::UniqueFd fd = make_file(kPages * kPage);
  auto mapping = test::must(sys::Mapping::shared(fd.get(), kPages * kPage));
  const auto other = test::must(sys::Mapping::shared(fd.get(), kPages * kPage));
  for (size_t page = 0; page < kPages; ++page) mapping.data()[page * kPage] = std::byte(page + 1);
  // From within page 1 to within page 3.
  const auto pages = sys::pages_of({reinterpret_cast<uint8_t*>(mapping.data()) + kPage + 100, 2 * kPage});
  CHECK(pages.data() == mapping.data() + kPage);
  REQUIRE(pages.size() == 3 * kPage);
  REQUIRE(mapping.make_private(pages, fd.get(), kPage).ok());
  for (size_t page = 0; page < kPages; ++page) {
    CHECK(mapping.data()[page * kPage] == std::byte(page + 1));
    other.data()[page * kPage] = std::byte(page + 51);
    const bool own = page >= 1 && page <= 3;
    CHECK(mapping.data()[page * kPage] == std::byte(own ? page + 1 : page + 51));
  }
  const std::span<std::byte> strange{other.data(), kPage};
  CHECK(test::failure(mapping.make_private(strange, fd.get(), 0)) == "mmap: EINVAL");
  sys::Mapping moved = std::move(mapping);
  REQUIRE(moved.unmap().ok());
  for (size_t page = 0; page < 3; ++page) CHECK(pages[page * kPage] == std::byte(page + 2));
  CHECK(munmap(pages.data(), pages.size()) == 0);
}

#ifndef __SANITIZE_THREAD__  // which takes mmap(2) for a write of the program's
TEST_CASE("what others write to pages while they become the process's own is not lost") {
  constexpr size_t kPages = 64;
  for (int round = 0; round < 50; ++round) {
    sys::UniqueFd fd = make_file(kPages * kPage);
    auto mapping = test::must(sys::Mapping::shared(fd.get(), kPages * kPage));
    std::atomic<bool> begun = false;
    std::thread writer([&] {
      for (size_t at = 0; at < kPages * kPage; at += 16) {
        std::atomic_ref(reinterpret_cast<unsigned char&>(mapping.data()[at])) = 7;
        begun = true;
      }
    });
    while (!begun) {
    }
    REQUIRE(mapping.make_private({mapping.data(), kPages * kPage}, fd.get(), 0).ok());
    writer.join();
    size_t lost = 0;
    for (size_t at = 0; at < kPages * kPage; at += 16) lost += mapping.data()[at] == std::byte{7} ? 0 : 1;
    CHECK(lost == 0);
    munmap(mapping.data(), kPages * kPage);
  }
}
#endif
