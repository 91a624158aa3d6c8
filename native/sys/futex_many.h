// Waiting for many 32-bit words at once. futex_waitv(2), Linux 5.16
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sys/result.h"

namespace mp::sys {

struct WatchedWord {
  const uint32_t* word;
  uint32_t expected;
};

inline constexpr size_t kMostWatchedWords = 128;

// Blocks while all words are as expected, until a wake of one of them. May return for no reason. Where there is no
// futex_waitv, or a sandbox refuses it, it sleeps some milliseconds instead.
Status wait_for_any(std::span<const WatchedWord> words);

}  // namespace mp::sys
