// A process-shared mutex that outlives its holder: PTHREAD_MUTEX_ROBUST, pthread_mutexattr_setrobust(3).
#pragma once

#include <pthread.h>

#include <optional>
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

  // lock() that offers its processor a few times before it sleeps. Who finds a mutex locked that is held for moments
  // has nearly always met somebody who lost its processor with it; and as long as somebody sleeps, each unlock is a
  // system call.
  static Result<RobustLock> lock_politely(pthread_mutex_t* mutex);

  // Nothing while somebody holds it.
  static Result<std::optional<RobustLock>> try_lock(pthread_mutex_t* mutex);

  // The last holder died while it held the mutex.
  bool owner_died() const { return owner_died_; }

  RobustLock(RobustLock&& other) noexcept
      : mutex_(std::exchange(other.mutex_, nullptr)), owner_died_(other.owner_died_) {}
  RobustLock& operator=(RobustLock&&) = delete;
  ~RobustLock() {
    if (mutex_ != nullptr) pthread_mutex_unlock(mutex_);
  }

 private:
  static Result<RobustLock> locked(pthread_mutex_t* mutex, int failed);
  RobustLock(pthread_mutex_t* mutex, bool owner_died) : mutex_(mutex), owner_died_(owner_died) {}

  pthread_mutex_t* mutex_;
  bool owner_died_;
};

}  // namespace mp::sys
