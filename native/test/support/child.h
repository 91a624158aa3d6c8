// A forked process that runs a function of the test. Fork before the test starts any thread.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace mp::test {

// Killed and reaped when it goes out of scope, unless the test has reaped it itself and said so with forget().
class Child {
 public:
  // `body` returns the exit code. The child skips every destructor and exit handler of the test program, and a failed
  // REQUIRE aborts it.
  template <typename Body>
  explicit Child(Body body) : pid_(fork()) {
    if (pid_ == 0) [&]() noexcept { _exit(body()); }();
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const { return pid_; }
  void forget() { pid_ = -1; }

  // Reaps the child: its exit code, or -s when signal s killed it.
  int join() {
    int status = 0;
    while (waitpid(pid_, &status, 0) == -1) {
    }
    forget();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

// Runs `body` in a child: its exit code, or -s.
template <typename Body>
int in_child(Body body) {
  return Child(body).join();
}

}  // namespace mp::test
