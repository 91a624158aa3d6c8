// Processes that use a lock are killed: at every instruction, and at random moments while others contend.
// MP_SOAK_KILLS: how many, and every single instruction.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "sys/sleep.h"
#include "test/support/step_by_step.h"
#include "test/support/test_lock.h"

using namespace mp;
using test::acquire;
using test::ArenaLock;
using test::NamedLock;
using test::try_acquire;

namespace {

const char* soak_kills() { return getenv("MP_SOAK_KILLS"); }

// A sanitized program makes some thirty instructions of one.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kInstructionsOfOne = 31;
#else
constexpr long kInstructionsOfOne = 1;
#endif

// Every so many of them, from another one in each run; all of them in a soak.
template <typename Trial>
void over_instructions(long every, Trial trial) {
  const long stride = soak_kills() == nullptr ? every * kInstructionsOfOne : 1;
  if (!test::at_every_instruction(static_cast<long>(std::random_device()() % stride), stride, trial)) {
    MESSAGE("processes can't be traced here: not tested");
  }
}

// A process of the table that is dead, in whose name others act; without a look into /proc, which would be most of the
// instructions.
template <typename Lock>
ipc::UserToken token_of_the_doomed(const Lock& lock) {
  test::in_child([&] { return lock.self() == ipc::kNoUser ? 1 : 0; });
  return (lock.processes().used - 1) | 1u << 12;
}

template <typename Lock>
void check_usable(const Lock& lock) {
  const bool was_held = lock.held();
  const test::Attempt attempt = try_acquire(lock);
  REQUIRE(attempt.acquired);
  REQUIRE((attempt.dead_holder != 0) == was_held);
  REQUIRE_FALSE(try_acquire(lock).acquired);
  REQUIRE(lock.release());
  REQUIRE_FALSE(lock.release());
}

// What contending processes do, in memory that outlives them.
struct Arena {
  std::atomic<pid_t> inside;     // who is between acquire and release
  std::atomic<uint32_t> broken;  // somebody else was inside
  std::atomic<uint32_t> passes;
  std::atomic<uint32_t> takeovers;
};

Arena& make_arena() {
  void* memory = mmap(nullptr, sizeof(Arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  return *static_cast<Arena*>(memory);
}

template <typename Lock>
int contend(const Lock& lock, Arena& arena) {
  const ipc::UserToken own = lock.self();
  const pid_t pid = getpid();
  for (;;) {
    const test::Attempt attempt = test::attempt_of(ipc::wait_until(*lock.wait(own), sys::kForever));
    if (!attempt.acquired) return 1;
    const pid_t found = arena.inside.exchange(pid);
    // A dead holder may have got in and out of the arena, and into the lock, but no further.
    if (found != 0 && found != attempt.dead_holder) arena.broken += 1;
    if (attempt.dead_holder != 0) arena.takeovers += 1;
    sched_yield();
    if (arena.inside.exchange(0) != pid) arena.broken += 1;
    arena.passes += 1;
    if (!lock.release()) arena.broken += 1;
  }
}

}  // namespace

TEST_CASE_TEMPLATE("killed between taking and giving back, at any instruction: it is free, or its dead holder is known",
                   Lock, NamedLock, ArenaLock) {
  const Lock warm;
  try_acquire(warm);
  warm.release();
  over_instructions(13, [](auto kill) {
    const Lock lock;
    const ipc::UserToken doomed = token_of_the_doomed(lock);
    kill([&] {
      try_acquire(lock, doomed);
      lock.release();
    });
    check_usable(lock);
  });
}

TEST_CASE_TEMPLATE("killed while taking over from the dead: the next one takes over", Lock, NamedLock, ArenaLock) {
  const Lock warm;
  try_acquire(warm, token_of_the_doomed(warm));
  try_acquire(warm);
  over_instructions(97, [](auto kill) {
    const Lock lock;
    REQUIRE(try_acquire(lock, token_of_the_doomed(lock)).acquired);
    const ipc::UserToken other = token_of_the_doomed(lock);
    kill([&] { try_acquire(lock, other); });
    REQUIRE(lock.held());
    check_usable(lock);
  });
}

TEST_CASE_TEMPLATE("killed on the way to sleep and out of it: others are woken all the same", Lock, NamedLock,
                   ArenaLock) {
  const Lock warm;
  try_acquire(warm);
  const auto waits_once = [](ipc::Waitable& wait) {
    wait.begin();
    sys::FutexWord word;
    wait.arm({&word, 1});
    static_cast<void>(sys::futex_wait_any({&word, 1}, 0));
    wait.end();
  };
  waits_once(*warm.wait(warm.self()));
  over_instructions(23, [&](auto kill) {
    const Lock lock;
    REQUIRE(try_acquire(lock).acquired);
    const auto wait = lock.wait(token_of_the_doomed(lock));
    kill([&] { waits_once(*wait); });
    REQUIRE(lock.release());
    check_usable(lock);
  });
}

TEST_CASE_TEMPLATE("contenders are killed at random: one is inside at a time, and it never stops", Lock, NamedLock,
                   ArenaLock) {
  constexpr uint32_t kContenders = 4;
  const char* wanted = soak_kills();
  const uint32_t kills = wanted == nullptr ? 300 : static_cast<uint32_t>(atoi(wanted));
  const uint32_t seed = std::random_device()();
  INFO("seed ", seed);
  std::mt19937 random(seed);
  const Lock lock;
  Arena& arena = make_arena();
  const auto contender = [&] { return std::make_unique<test::Child>([&] { return contend(lock, arena); }); };
  std::vector<std::unique_ptr<test::Child>> contenders;
  for (uint32_t i = 0; i < kContenders; ++i) contenders.push_back(contender());
  const auto await_passes = [&](uint32_t more) {
    for (const uint32_t before = arena.passes; arena.passes - before < more;) {
      static_cast<void>(sys::sleep_until(sys::deadline_after(0.1)));
    }
  };
  for (uint32_t done = 0; done < kills; ++done) {
    await_passes(1 + random() % 50);
    // Every other one is the one inside, or was just now.
    const pid_t inside = random() % 2 == 0 ? arena.inside.load() : 0;
    auto found = std::find_if(contenders.begin(), contenders.end(), [&](auto& one) { return one->pid() == inside; });
    auto& victim = found == contenders.end() ? contenders[random() % kContenders] : *found;
    victim.reset();
    victim = contender();
  }
  await_passes(100);
  for (auto& one : contenders) one.reset();
  CHECK(arena.broken == 0);
  MESSAGE(kills, " killed, ", arena.takeovers.load(), " of them holding; ", arena.passes.load(), " passes");
  check_usable(lock);
  munmap(&arena, sizeof(arena));
}
