// A process-shared mutex that outlives its holder: PTHREAD_MUTEX_ROBUST, pthread_mutexattr_setrobust(3).
#pragma once

#include <pthread.h>

#include <utility>

#include "sys/result.h"

namespace mp::sys {

// In memory that other processes map too, zeroed, once.
Status init_robust_mutex(pthread_mutex_t* mutex);

// Holds the mutex for its lifetime. Only the thread that locked may unlock, so it does not leave its function.
class RobustLock {
 public:
  // Blocks without a limit: hold it for moments only. When the last holder died, the mutex is made consistent at once:
  // what it guards must be valid after every single store.
  static Result<RobustLock> lock(pthread_mutex_t* mutex);

  RobustLock(RobustLock&& other) noexcept : mutex_(std::exchange(other.mutex_, nullptr)) {}
  RobustLock& operator=(RobustLock&&) = delete;
  ~RobustLock() {
    if (mutex_ != nullptr) pthread_mutex_unlock(mutex_);
  }

 private:
  explicit RobustLock(pthread_mutex_t* mutex) : mutex_(mutex) {}

  pthread_mutex_t* mutex_;
};

}  // namespace mp::sys
