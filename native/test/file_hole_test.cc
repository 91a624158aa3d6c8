#include "sys/file_hole.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstring>

#include "sys/file_size.h"
#include "sys/mapping.h"
#include "sys/memory_object.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a hole gives memory back, reads as zeros, and leaves the rest") {
  constexpr size_t kSize = 64 * 4096;
  const sys::UniqueFd file = test::must(sys::make_memory_file("test"));
  REQUIRE(sys::set_file_size(file.get(), kSize).ok());
  const sys::Mapping mapping = test::must(sys::Mapping::shared(file.get(), kSize));
  std::memset(mapping.data(), 1, kSize);
  const auto blocks = [&] {
    struct stat status;
    REQUIRE(fstat(file.get(), &status) == 0);
    return status.st_blocks * 512;
  };
  CHECK(blocks() == kSize);
  REQUIRE(sys::punch_hole(file.get(), 4096, kSize - 2 * 4096).ok());
  CHECK(blocks() == 2 * 4096);
  CHECK(mapping.data()[4095] == std::byte{1});
  CHECK(mapping.data()[4096] == std::byte{0});
  CHECK(mapping.data()[kSize - 1] == std::byte{1});
  CHECK(test::must(sys::file_size(file.get())) == kSize);
  CHECK(test::failure(sys::punch_hole(-1, 0, 4096)) == "fallocate: EBADF");
}
