#include "sys/robust_mutex.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <thread>
#include <vector>

#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

// A counter behind a mutex, in memory that forked children share.
struct Guarded {
  pthread_mutex_t mutex;
  volatile long count;
};

class SharedGuarded {
 public:
  SharedGuarded()
      : memory_(static_cast<Guarded*>(
            mmap(nullptr, sizeof(Guarded), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    REQUIRE(sys::init_robust_mutex(&memory_->mutex).ok());
  }
  ~SharedGuarded() { munmap(memory_, sizeof(Guarded)); }
  Guarded* operator->() const { return memory_; }
  int add(long times) const {
    for (long i = 0; i < times; ++i) {
      const auto lock = sys::RobustLock::lock(&memory_->mutex);
      if (!lock.ok()) return 1;
      memory_->count = memory_->count + 1;
    }
    return 0;
  }

 private:
  Guarded* memory_;
};

}  // namespace

TEST_CASE("processes exclude each other") {
  const SharedGuarded guarded;
  test::Child first([&] { return guarded.add(20'000); });
  test::Child second([&] { return guarded.add(20'000); });
  CHECK(first.join() == 0);
  CHECK(second.join() == 0);
  CHECK(guarded->count == 40'000);
}

TEST_CASE("threads exclude each other") {
  const SharedGuarded guarded;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { guarded.add(5'000); });
  for (std::thread& thread : threads) thread.join();
  CHECK(guarded->count == 20'000);
}

TEST_CASE("a mutex outlives the holder that dies, again and again") {
  const SharedGuarded guarded;
  for (int round = 0; round < 3; ++round) {
    const int ended = test::in_child([&] {
      const auto lock = sys::RobustLock::lock(&guarded->mutex);
      raise(SIGKILL);
      return 0;
    });
    CHECK(ended == -SIGKILL);
    CHECK(sys::RobustLock::lock(&guarded->mutex).ok());
  }
  CHECK(guarded.add(1) == 0);
}

TEST_CASE("a try gives up at once, and learns of a dead holder") {
  const SharedGuarded guarded;
  {
    const auto lock = test::must(sys::RobustLock::lock(&guarded->mutex));
    CHECK_FALSE(lock.owner_died());
    std::thread([&] { CHECK_FALSE(test::must(sys::RobustLock::try_lock(&guarded->mutex)).has_value()); }).join();
  }
  test::in_child([&] {
    const auto lock = sys::RobustLock::lock(&guarded->mutex);
    _exit(lock.ok() ? 0 : 1);
    return 0;
  });
  const auto lock = test::must(sys::RobustLock::try_lock(&guarded->mutex));
  REQUIRE(lock.has_value());
  CHECK(lock->owner_died());
}
