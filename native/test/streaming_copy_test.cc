#include "sys/streaming_copy.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

using namespace mp;

TEST_CASE("it copies what it is told to, wherever it begins and ends, and nothing else") {
  std::vector<uint8_t> from(1024);
  std::iota(from.begin(), from.end(), uint8_t{1});
  for (size_t to_offset = 0; to_offset < 66; ++to_offset) {
    for (size_t from_offset = 0; from_offset < 3; ++from_offset) {
      for (const size_t size : {0, 1, 15, 63, 64, 65, 127, 128, 200, 513}) {
        std::vector<uint8_t> to(1024, 0);
        sys::streaming_copy(to.data() + to_offset, from.data() + from_offset, size);
        std::vector<uint8_t> wanted(1024, 0);
        for (size_t i = 0; i < size; ++i) wanted[to_offset + i] = from[from_offset + i];
        REQUIRE(to == wanted);
      }
    }
  }
}
