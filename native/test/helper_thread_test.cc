#include "sys/helper_thread.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <future>

#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a helper thread runs with every signal blocked, and the caller's mask stays") {
  std::promise<bool> blocked;
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  test::must(sys::start_helper_thread(
      [](void* argument) {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        static_cast<std::promise<bool>*>(argument)->set_value(sigismember(&mask, SIGINT) &&
                                                              sigismember(&mask, SIGCHLD));
      },
      &blocked));
  CHECK(blocked.get_future().get());
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&after, SIGINT) == sigismember(&before, SIGINT));
}
