#include "sys/semaphore.h"

#include <fcntl.h>

namespace mp::sys {

Result<Semaphore> Semaphore::open(const std::string& name, int flags, mode_t mode, unsigned value) {
  sem_t* semaphore;
  do {
    semaphore = sem_open(name.c_str(), flags, mode, value);
  } while (semaphore == SEM_FAILED && errno == EINTR);
  if (semaphore == SEM_FAILED) return last_error("sem_open");
  return Semaphore(semaphore);
}

Semaphore& Semaphore::operator=(Semaphore&& other) noexcept {
  close();
  semaphore_ = std::exchange(other.semaphore_, SEM_FAILED);
  return *this;
}

Result<bool> Semaphore::try_wait() const {
  if (retry_eintr([&] { return sem_trywait(semaphore_); }) == 0) return true;
  if (errno == EAGAIN) return false;
  return last_error("sem_trywait");
}

Result<bool> Semaphore::wait_until(Deadline deadline) const {
  if (deadline == kForever) {
    if (retry_eintr([&] { return sem_wait(semaphore_); }) == 0) return true;
    return last_error("sem_wait");
  }
  const timespec until = to_timespec(deadline);
  if (retry_eintr([&] { return sem_clockwait(semaphore_, CLOCK_MONOTONIC, &until); }) == 0) return true;
  if (errno == ETIMEDOUT) return false;
  return last_error("sem_clockwait");
}

Status Semaphore::post() const { return check(sem_post(semaphore_), "sem_post"); }

Result<int> Semaphore::value() const {
  int value;
  if (sem_getvalue(semaphore_, &value) == -1) return last_error("sem_getvalue");
  return value;
}

void Semaphore::close() {
  if (valid()) sem_close(std::exchange(semaphore_, SEM_FAILED));
}

Status unlink_semaphore(const std::string& name) { return check(sem_unlink(name.c_str()), "sem_unlink"); }

}  // namespace mp::sys
