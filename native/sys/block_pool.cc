#include "sys/block_pool.h"

#include <sys/mman.h>

#include <utility>

#include "sys/mapping.h"

namespace mp::sys {

namespace {

constexpr size_t kUnit = 64 << 10;

constexpr size_t round_up(size_t size) { return (size + kUnit - 1) / kUnit * kUnit; }

}  // namespace

Result<BlockPool::Block> BlockPool::take(size_t size) {
  const size_t wanted = round_up(size);
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    const auto found = free_.lower_bound(wanted);
    if (found != free_.end() && found->first <= wanted + wanted / 4) {
      const Block block{found->second, found->first};
      free_.erase(found);
      kept_ -= block.size();
      return block;
    }
  }
  void* memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return last_error("mmap");
  return Block{static_cast<std::byte*>(memory), wanted};
}

void BlockPool::give_back(Block block) {
  {
    const std::lock_guard lock(mutex_);
    if (wanted_ && kept_ + block.size() <= most_kept_) {
      free_.emplace(block.size(), block.data());
      kept_ += block.size();
      return;
    }
  }
  munmap(block.data(), block.size());
}

void BlockPool::trim() {
  std::multimap<size_t, std::byte*> dropped;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = false;
    kept_ = 0;
    dropped = std::exchange(free_, {});
  }
  for (const auto& [size, memory] : dropped) munmap(memory, size);
}

}  // namespace mp::sys
