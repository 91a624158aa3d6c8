// Names of kernel objects that a test makes, gone at its end.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace mp::test {

// A semaphore's name without the slash; no other test of any process has it.
class SemaphoreName {
 public:
  SemaphoreName() {
    static int made = 0;
    name_ = "mp-test-" + std::to_string(getpid()) + "-" + std::to_string(++made);
  }
  SemaphoreName(const SemaphoreName&) = delete;
  SemaphoreName& operator=(const SemaphoreName&) = delete;
  ~SemaphoreName() { shm_unlink(file().c_str()); }

  const std::string& bare() const { return name_; }
  std::string posix() const { return "/" + name_; }
  // The memory object that glibc keeps it in.
  std::string file() const { return "/sem." + name_; }

 private:
  std::string name_;
};

}  // namespace mp::test
