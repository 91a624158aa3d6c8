// Interrupts the system calls of this process with EINTR, over and over: a signal whose handler lacks SA_RESTART.
#pragma once

#include <signal.h>
#include <sys/time.h>

#include "sys/sleep.h"

namespace mp::test {

class Interruptions {
 public:
  Interruptions() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, nullptr);
    const itimerval timer{.it_interval = {0, kEveryMs * 1000}, .it_value = {0, kEveryMs * 1000}};
    setitimer(ITIMER_REAL, &timer, nullptr);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  // The handler stays: valgrind delivers a last signal late.
  ~Interruptions() {
    const itimerval off{};
    setitimer(ITIMER_REAL, &off, nullptr);
  }

  // A deadline after enough of them.
  static sys::Deadline several() { return sys::deadline_after(10 * kEveryMs); }

  // For a forked child, which gets none: stays while its parent is interrupted a few times.
  static void outlast() { (void)sys::sleep_until(several()); }

 private:
  static constexpr int kEveryMs = 5;
};

}  // namespace mp::test
