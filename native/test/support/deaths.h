// How often processes are killed in a test, and what outlives them. MP_SOAK_KILLS: how many are killed at random, and
// every single instruction of an operation.
#pragma once

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <random>

#include "test/support/step_by_step.h"

namespace mp::test {

// A sanitizer makes each fork slow and each operation long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

inline uint32_t wanted_kills() {
  const char* wanted = getenv("MP_SOAK_KILLS");
  if (wanted != nullptr) return static_cast<uint32_t>(atoi(wanted));
  return kSanitized ? 50 : 300;
}

// Runs the trial over the instructions of one operation, every `usual`-th or, in a soak, all of them; `fewer` times
// fewer where there are very many.
template <typename Trial>
void over_every(long usual, Trial trial, long fewer = 1) {
  const long stride = (getenv("MP_SOAK_KILLS") != nullptr ? 1 : kSanitized ? 2003 : usual) * fewer;
  if (!at_every_instruction(static_cast<long>(std::random_device()() % stride), stride, trial)) {
    MESSAGE("processes can't be traced here: not tested");
  }
}

template <typename T>
struct Unmap {
  void operator()(T* object) const { munmap(object, sizeof(T)); }
};

// Zeroed memory that all children of this process share with it.
template <typename T>
std::unique_ptr<T, Unmap<T>> make_shared_with_children() {
  void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return std::unique_ptr<T, Unmap<T>>(static_cast<T*>(memory));
}

}  // namespace mp::test
