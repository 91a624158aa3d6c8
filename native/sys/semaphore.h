// Named POSIX semaphores. sem_overview(7)
#pragma once

#include <semaphore.h>
#include <sys/types.h>

#include <string>
#include <utility>

#include "sys/clock.h"
#include "sys/result.h"

namespace mp::sys {

// One opening of a named semaphore, closed with its owner. A forked child has the same semaphore and an opening of its
// own. The kernel gives nothing back when a process that has taken units dies.
class Semaphore {
 public:
  // sem_open(3): `flags` are O_CREAT and O_EXCL; `mode` and `value` matter to a semaphore that is created.
  static Result<Semaphore> open(const std::string& name, int flags, mode_t mode, unsigned value);

  Semaphore() = default;
  Semaphore(Semaphore&& other) noexcept : semaphore_(std::exchange(other.semaphore_, SEM_FAILED)) {}
  Semaphore& operator=(Semaphore&& other) noexcept;
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  ~Semaphore() { close(); }

  bool valid() const { return semaphore_ != SEM_FAILED; }

  // Takes one unit: false when there is none. sem_trywait(3)
  Result<bool> try_wait() const;
  // Blocks until there is one, or the deadline has come: false. Restarts on EINTR. sem_clockwait(3)
  Result<bool> wait_until(Deadline deadline) const;
  // Gives one unit. EOVERFLOW: more than SEM_VALUE_MAX. sem_post(3)
  Status post() const;
  // sem_getvalue(3)
  Result<int> value() const;
  // sem_close(3)
  void close();

 private:
  explicit Semaphore(sem_t* semaphore) : semaphore_(semaphore) {}

  sem_t* semaphore_ = SEM_FAILED;
};

// Removes the name; the semaphore lives on until nobody has it open. ENOENT: no such name. sem_unlink(3)
Status unlink_semaphore(const std::string& name);

}  // namespace mp::sys
