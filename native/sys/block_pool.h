// Private memory that is used again: what the kernel maps anew costs a page fault for every 4 KiB, ten times as much as
// the copy that it is wanted for. mmap(2)
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>

#include "sys/result.h"

namespace mp::sys {

// Of any thread's use. Blocks that are given back are kept up to a limit, until nothing has been taken for a while.
class BlockPool {
 public:
  using Block = std::span<std::byte>;

  explicit BlockPool(size_t most_kept) : most_kept_(most_kept) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool() { trim(); }

  // A block of at least `size` bytes, with what was in it before. ENOMEM.
  Result<Block> take(size_t size);
  void give_back(Block block);
  // Unmaps what is kept, and what is given back from now on until the next take().
  void trim();

 private:
  void unmap(Block block);

  const size_t most_kept_;
  std::mutex mutex_;
  std::multimap<size_t, std::byte*> free_;  // by size
  size_t kept_ = 0;                         // bytes
  bool wanted_ = false;                     // blocks are being taken
};

}  // namespace mp::sys
