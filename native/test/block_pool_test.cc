#include "sys/block_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "test/support/outcome.h"

using namespace mp;
using sys::BlockPool;

namespace {

constexpr size_t kMiB = 1 << 20;

void fill(BlockPool::Block block, int value) { std::fill(block.begin(), block.end(), std::byte(value)); }

bool is_filled(BlockPool::Block block, int value) {
  return std::all_of(block.begin(), block.end(), [&](std::byte byte) { return byte == std::byte(value); });
}

}  // namespace

TEST_CASE("a block that was given back is taken again, by who asks for nearly as much") {
  BlockPool pool(8 * kMiB);
  const auto first = test::must(pool.take(kMiB));
  CHECK(first.size() >= kMiB);
  fill(first, 1);
  pool.give_back(first);
  const auto again = test::must(pool.take(kMiB - 100'000));
  CHECK(again.data() == first.data());
  CHECK(is_filled(again, 1));
  pool.give_back(again);
  const auto small = test::must(pool.take(kMiB / 2));
  CHECK(small.data() != first.data());
  CHECK(small.size() < kMiB);
  const auto large = test::must(pool.take(2 * kMiB));
  CHECK(large.size() >= 2 * kMiB);
  pool.give_back(small);
  pool.give_back(large);
}

TEST_CASE("blocks are kept up to the limit, and until they are trimmed") {
  BlockPool pool(2 * kMiB);
  std::vector<BlockPool::Block> blocks;
  for (int i = 0; i < 3; ++i) blocks.push_back(test::must(pool.take(kMiB)));
  for (const auto block : blocks) fill(block, 2);
  for (const auto block : blocks) pool.give_back(block);
  std::vector<BlockPool::Block> again;
  for (int i = 0; i < 3; ++i) again.push_back(test::must(pool.take(kMiB)));
  const auto used_before = std::count_if(again.begin(), again.end(), [](auto block) { return is_filled(block, 2); });
  CHECK(used_before == 2);
  for (const auto block : again) fill(block, 3);
  const auto late = again.back();
  again.pop_back();
  for (const auto block : again) pool.give_back(block);
  pool.trim();
  pool.give_back(late);  // nobody takes any now
  for (int i = 0; i < 3; ++i) {
    const auto block = test::must(pool.take(kMiB));
    CHECK(is_filled(block, 0));
    pool.give_back(block);
    pool.trim();
  }
}

TEST_CASE("blocks are taken and given back by several threads") {
  BlockPool pool(4 * kMiB);
  std::vector<std::thread> threads;
  for (int number = 1; number <= 4; ++number) {
    threads.emplace_back([&pool, number] {
      for (size_t i = 0; i < 200; ++i) {
        auto block = pool.take(65536 * (1 + i % 3));
        if (!block.ok()) abort();
        fill(block.value(), number);
        if (!is_filled(block.value(), number)) abort();
        pool.give_back(block.value());
        if (i % 50 == 0) pool.trim();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_CASE("what the system has no memory for is refused") {
  BlockPool pool(kMiB);
  CHECK(test::failure(pool.take(size_t{1} << 47)) == "mmap: ENOMEM");
}
