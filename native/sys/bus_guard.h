// Survival of what other programs do to shared files: a page of a mapping that has no file behind it any more, because
// somebody has cut the file, raises SIGBUS when it is touched. In guarded memory it becomes a page of zeros instead,
// private to this process, and the program goes on. sigaction(2), SIGBUS with BUS_ADRERR
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mp::sys {

// The memory is guarded for as long as this lives. The first one installs the signal's handler, which leaves all other
// SIGBUS to whoever had it. Beyond 65,536 at once the rest is not guarded.
class BusGuard {
 public:
  BusGuard() = default;
  explicit BusGuard(std::span<std::byte> memory);
  BusGuard(BusGuard&& other) noexcept;
  BusGuard& operator=(BusGuard&& other) noexcept;
  BusGuard(const BusGuard&) = delete;
  BusGuard& operator=(const BusGuard&) = delete;
  ~BusGuard();

 private:
  static constexpr size_t kNone = SIZE_MAX;

  size_t slot_ = kNone;
};

}  // namespace mp::sys
