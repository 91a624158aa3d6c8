// A pipe that carries single bytes as signals between the processes of a test.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "sys/unique_fd.h"

namespace mp::test {

class BytePipe {
 public:
  BytePipe() {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) == 0) {
      read_end_.reset(ends[0]);
      write_end_.reset(ends[1]);
    }
  }

  int write_fd() const { return write_end_.get(); }
  void send() const {
    if (write(write_end_.get(), "x", 1) != 1) _exit(99);
  }
  // Waits for a byte; false at end of file.
  bool receive() const {
    char byte = 0;
    ssize_t got = -1;
    while (got == -1) got = read(read_end_.get(), &byte, 1);
    return got == 1;
  }
  void close_read_end() { read_end_.reset(); }
  void close_write_end() { write_end_.reset(); }

 private:
  sys::UniqueFd read_end_;
  sys::UniqueFd write_end_;
};

}  // namespace mp::test
