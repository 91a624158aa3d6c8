// How long a thread looks again and again before it sleeps: what is held for a moment by a process on another CPU comes
// sooner than the kernel could wake anybody. It learns from how it went, so that where nobody else can run meanwhile
// next to nothing is wasted.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "sys/relax.h"

namespace mp::ipc {

class Patience {
 public:
  // Calls `look` until it says true, or it is time to sleep.
  template <typename Look>
  bool spin(Look look) {
    const uint32_t expected = expected_.load(std::memory_order_relaxed);
    const bool learns = tries_.fetch_add(1, std::memory_order_relaxed) % kLearnEvery == 0;
    const uint32_t most = learns ? kMost : std::min(kMost, 2 * expected);
    for (uint32_t looks = 1; looks <= most; ++looks) {
      sys::relax();
      if (!look()) continue;
      const auto difference = static_cast<int32_t>(looks - expected);
      expected_.store(expected + static_cast<uint32_t>((difference + (difference > 0 ? kWeight - 1 : 0)) / kWeight),
                      std::memory_order_relaxed);
      return true;
    }
    if (most > 0) expected_.store(expected - (expected + kWeight - 1) / kWeight, std::memory_order_relaxed);
    return false;
  }

 private:
  static constexpr uint32_t kMost = 200;  // some 5 us: what sleeping and being woken takes
  static constexpr uint32_t kLearnEvery = 32;
  static constexpr int32_t kWeight = 8;

  std::atomic<uint32_t> expected_ = 0;
  std::atomic<uint32_t> tries_ = 0;
};

}  // namespace mp::ipc
