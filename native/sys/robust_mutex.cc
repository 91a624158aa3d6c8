#include "sys/robust_mutex.h"

#include <cerrno>
#include <thread>

namespace mp::sys {

Status init_robust_mutex(pthread_mutex_t* mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  const int failed = pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  if (failed != 0) return Error{failed, "pthread_mutex_init"};
  return done();
}

Result<RobustLock> RobustLock::lock(pthread_mutex_t* mutex) { return locked(mutex, pthread_mutex_lock(mutex)); }

Result<RobustLock> RobustLock::lock_politely(pthread_mutex_t* mutex) {
  constexpr int kOffers = 4;
  for (int offers = 0; offers < kOffers; ++offers) {
    auto lock = try_lock(mutex);
    if (!lock) return lock.error();
    if (lock.value()) return *std::move(lock).value();
    std::this_thread::yield();
  }
  return lock(mutex);
}

Result<std::optional<RobustLock>> RobustLock::try_lock(pthread_mutex_t* mutex) {
  const int failed = pthread_mutex_trylock(mutex);
  if (failed == EBUSY) return std::optional<RobustLock>();
  auto lock = locked(mutex, failed);
  if (!lock) return lock.error();
  return std::optional(std::move(lock).value());
}

Result<RobustLock> RobustLock::locked(pthread_mutex_t* mutex, int failed) {
  if (failed == EOWNERDEAD) {
    pthread_mutex_consistent(mutex);
  } else if (failed != 0) {
    return Error{failed, "pthread_mutex_lock"};
  }
  return RobustLock(mutex, failed == EOWNERDEAD);
}

}  // namespace mp::sys
