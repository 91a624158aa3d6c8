#include "sys/fork_count.h"

#include <pthread.h>

#include <atomic>

namespace mp::sys {

namespace {

// A process forks as a whole: there is one count of it.
std::atomic<uint32_t> count = 0;

}  // namespace

uint32_t fork_count() {
  static const int registered = pthread_atfork([] { ++count; }, nullptr, nullptr);
  static_cast<void>(registered);
  return count;
}

}  // namespace mp::sys
