#include "sys/bus_guard.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <utility>

#include "sys/file_size.h"
#include "sys/mapping.h"
#include "sys/memory_object.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

constexpr size_t kPage = 4096;

// Touches memory past the file's end; 0 if it lives and finds zeros.
int touch_cut_file(bool guarded, bool moved, bool unguarded_again) {
  const auto fd = test::must(sys::make_memory_file("cut"));
  test::must(sys::set_file_size(fd.get(), 2 * kPage));
  auto mapping = test::must(sys::Mapping::shared(fd.get(), 2 * kPage));
  mapping.data()[kPage] = std::byte{7};
  if (guarded) mapping.guard();
  if (unguarded_again) {
    sys::Mapping other = test::must(sys::Mapping::shared(fd.get(), kPage));
    other.guard();
    test::must(other.unmap());
  }
  sys::Mapping owner = moved ? std::move(mapping) : test::must(sys::Mapping::shared(fd.get(), kPage));
  test::must(sys::set_file_size(fd.get(), 1));
  std::byte* bytes = moved ? owner.data() : mapping.data();
  bytes[kPage + 1] = std::byte{8};
  return bytes[kPage] == std::byte{0} && bytes[kPage + 1] == std::byte{8} ? 0 : 1;
}

}  // namespace

TEST_CASE("memory past a file's end reads as zeros when it is guarded, and raises SIGBUS when not") {
  CHECK(test::in_child([] { return touch_cut_file(true, false, false); }) == 0);
  CHECK(test::in_child([] { return touch_cut_file(true, true, true); }) == 0);
  // A sanitizer's own handler ends it with an exit code.
  CHECK(test::in_child([] { return touch_cut_file(false, false, true); }) != 0);
}
