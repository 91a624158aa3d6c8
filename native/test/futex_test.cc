#include "sys/futex.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mman.h>

#include <atomic>

#include "test/support/child.h"
#include "test/support/interruptions.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

// A word that forked children share.
class SharedWord {
 public:
  SharedWord() : page_(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  ~SharedWord() { munmap(page_, kBytes); }
  std::atomic<uint32_t>& value() const { return *static_cast<std::atomic<uint32_t>*>(page_); }
  const uint32_t* address() const { return static_cast<const uint32_t*>(page_); }

 private:
  static constexpr size_t kBytes = 4096;
  void* page_;
};

int wake_until(const SharedWord& word, int count, int wanted) {
  int woken = 0;
  while (woken < wanted) {
    woken += test::must(sys::futex_wake(word.address(), count));
    sched_yield();
  }
  return woken;
}

int wait_as_child(const SharedWord& word) {
  const auto outcome = sys::futex_wait(word.address(), 0, sys::kForever);
  return outcome.ok() && outcome.value() == sys::FutexOutcome::kWoken ? 0 : 1;
}

}  // namespace

TEST_CASE("futex_wait returns at once when the word has another value") {
  const SharedWord word;
  word.value() = 5;
  CHECK(test::must(sys::futex_wait(word.address(), 4, sys::kForever)) == sys::FutexOutcome::kNotEqual);
  CHECK(test::must(sys::futex_wait(word.address(), 4, sys::deadline_after(0))) == sys::FutexOutcome::kNotEqual);
}

TEST_CASE("futex_wait times out at its deadline though signals interrupt it") {
  const SharedWord word;
  const test::Interruptions interruptions;
  const sys::Deadline deadline = test::Interruptions::several();
  CHECK(test::must(sys::futex_wait(word.address(), 0, deadline)) == sys::FutexOutcome::kTimedOut);
  CHECK(sys::monotonic_now() >= deadline);
}

TEST_CASE("futex_wait with a past deadline tries once") {
  const SharedWord word;
  CHECK(test::must(sys::futex_wait(word.address(), 0, sys::deadline_after(0))) == sys::FutexOutcome::kTimedOut);
}

TEST_CASE("futex_wake wakes waiters in other processes and no more than it is told") {
  const SharedWord word;
  test::Child first([&] { return wait_as_child(word); });
  test::Child second([&] { return wait_as_child(word); });
  CHECK(wake_until(word, 1, 1) == 1);
  CHECK(wake_until(word, 1, 1) == 1);
  CHECK(test::must(sys::futex_wake(word.address(), 1)) == 0);
  CHECK(first.join() == 0);
  CHECK(second.join() == 0);
}

TEST_CASE("futex_wait outlasts signals until another process wakes it") {
  const SharedWord word;
  const test::Interruptions interruptions;
  test::Child waker([&] {
    test::Interruptions::outlast();
    word.value() = 1;
    return wake_until(word, 1, 1) == 1 ? 0 : 1;
  });
  while (word.value() == 0) {
    REQUIRE(sys::futex_wait(word.address(), 0, sys::kForever).ok());
  }
  kill(waker.pid(), SIGKILL);  // it may still look for a waiter that has gone
}
