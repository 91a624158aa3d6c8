// Conditions and barriers whose processes are killed at every instruction.
#include "ipc/waiter_table.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "ipc/barrier_wait.h"
#include "ipc/condition_wait.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"
#include "test/support/step_by_step.h"

using namespace mp;

namespace {

constexpr uint32_t kCapacity = 64;

class Table {
 public:
  explicit Table(uint32_t parties) { test::must(ipc::prepare(table(), kCapacity, parties)); }

  ipc::UserToken self() const { return test::must(region_->processes().enter()); }
  ipc::ProcessTable& processes() const { return region_->processes(); }
  ipc::WaiterTable& table() const { return region_->at<ipc::WaiterTable>(ipc::kObjectsOffset); }
  template <typename Wait>
  Wait wait(int32_t slot) const {
    return Wait(region_, ipc::kObjectsOffset, static_cast<uint32_t>(slot), self());
  }
  int32_t join() const { return ipc::join_condition(table(), self()); }
  uint32_t notify(uint32_t count) const { return ipc::notify(table(), processes(), count); }
  ipc::Arrival arrive() const { return ipc::arrive_at_barrier(table(), processes(), self()); }
  ipc::BarrierFacts look() const { return ipc::look_at_barrier(table(), processes()); }
  ipc::UserToken doomed() const {
    test::in_child([&] { return self() == ipc::kNoUser ? 1 : 0; });
    return (processes().used - 1) | 1u << 12;
  }

 private:
  ipc::SharedRegion region_ = test::must(ipc::Region::arena(ipc::waiter_table_bytes(kCapacity)));
};

template <typename Trial>
void over_instructions(long every, Trial trial) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  every *= 31;
#endif
  // A look at whether a process lives, a file of /proc, is some thousand instructions.
  if (getenv("MP_SOAK_KILLS") != nullptr) every /= 20;
  if (!test::at_every_instruction(static_cast<long>(std::random_device()() % every), every, trial)) {
    MESSAGE("processes can't be traced here: not tested");
  }
}

}  // namespace

TEST_CASE("a notification wakes those who came first, and nobody twice") {
  const Table table(0);
  auto first = table.wait<ipc::ConditionWait>(table.join());
  auto second = table.wait<ipc::ConditionWait>(table.join());
  auto third = table.wait<ipc::ConditionWait>(table.join());
  CHECK(table.notify(1) == 1);
  CHECK(first.attempt(false).done);
  CHECK_FALSE(second.attempt(false).done);
  CHECK(table.notify(5) == 2);
  CHECK(second.give_up().done);
  CHECK(third.attempt(false).done);
  CHECK(table.notify(5) == 0);
}

TEST_CASE("who gives up takes no notification; who is undone passes it on to who waited then") {
  const Table table(0);
  auto first = table.wait<ipc::ConditionWait>(table.join());
  auto second = table.wait<ipc::ConditionWait>(table.join());
  CHECK_FALSE(first.give_up().done);
  auto third = table.wait<ipc::ConditionWait>(table.join());
  CHECK(table.notify(1) == 1);
  auto late = table.wait<ipc::ConditionWait>(table.join());
  second.withdraw();
  CHECK_FALSE(late.attempt(false).done);
  CHECK(third.attempt(false).done);
}

TEST_CASE("a table that is full says so, and has room again when somebody leaves") {
  const Table table(0);
  std::set<int32_t> slots;
  for (uint32_t i = 0; i < kCapacity; ++i) slots.insert(table.join());
  CHECK(slots.size() == kCapacity);
  CHECK(table.join() == -1);
  CHECK(table.notify(1) == 1);
  auto first = table.wait<ipc::ConditionWait>(0);
  CHECK(first.attempt(false).done);
  CHECK(table.join() == 0);
}

TEST_CASE("killed at any instruction of a wait at a condition: others are notified all the same") {
  const Table warm(0);
  auto warmed = warm.wait<ipc::ConditionWait>(warm.join());
  warmed.give_up();
  warm.notify(1);
  over_instructions(97, [](auto kill) {
    const Table table(0);
    const ipc::UserToken doomed = table.doomed();
    auto before = table.wait<ipc::ConditionWait>(table.join());
    kill([&] {
      auto wait = table.wait<ipc::ConditionWait>(ipc::join_condition(table.table(), doomed));
      wait.give_up();
    });
    auto after = table.wait<ipc::ConditionWait>(table.join());
    REQUIRE(table.notify(2) == 2);
    REQUIRE(before.attempt(false).done);
    REQUIRE(after.attempt(false).done);
    REQUIRE(table.notify(2) == 0);
  });
}

TEST_CASE("killed at any instruction of notify(): whoever was not notified still waits") {
  const Table warm(0);
  warm.join();
  warm.notify(3);
  over_instructions(601, [](auto kill) {
    const Table table(0);
    auto first = table.wait<ipc::ConditionWait>(table.join());
    auto second = table.wait<ipc::ConditionWait>(table.join());
    kill([&] { table.notify(3); });
    const bool one = first.attempt(false).done;
    const bool other = second.attempt(false).done;
    REQUIRE((one || !other));
    REQUIRE(table.notify(3) == (one ? 0u : 1u) + (other ? 0u : 1u));
    if (!one) REQUIRE(first.attempt(false).done);
    if (!other) REQUIRE(second.attempt(false).done);
  });
}

TEST_CASE("the last one opens a barrier, each gets an index of its own") {
  const Table table(3);
  auto first = table.wait<ipc::BarrierWait>(table.arrive().slot);
  auto second = table.wait<ipc::BarrierWait>(table.arrive().slot);
  CHECK(table.look().waiting == 2);
  const ipc::Arrival last = table.arrive();
  REQUIRE(last.last);
  CHECK(table.arrive().slot == ipc::kBarrierFull);
  CHECK(ipc::open_barrier(table.table(), static_cast<uint32_t>(last.slot)) == 2);
  CHECK(first.attempt(false).detail == 0);
  CHECK(second.attempt(false).detail == 1);
  CHECK(table.look().waiting == 0);
}

TEST_CASE(
    "killed at any instruction of coming and opening: the barrier is passed by all, or broken for all who are left") {
  const Table warm(2);
  warm.arrive();
  ipc::open_barrier(warm.table(), static_cast<uint32_t>(warm.arrive().slot));
  over_instructions(601, [](auto kill) {
    const Table table(3);
    const ipc::UserToken doomed = table.doomed();
    auto first = table.wait<ipc::BarrierWait>(table.arrive().slot);
    auto second = table.wait<ipc::BarrierWait>(table.arrive().slot);
    kill([&] {
      const ipc::Arrival last = ipc::arrive_at_barrier(table.table(), table.processes(), doomed);
      ipc::open_barrier(table.table(), static_cast<uint32_t>(last.slot));
    });
    const ipc::BarrierFacts facts = table.look();
    const ipc::Outcome one = first.attempt(false);
    const ipc::Outcome other = second.attempt(false);
    if (facts.waiting == 2) {
      REQUIRE_FALSE(facts.broken);
      REQUIRE_FALSE((one.done || other.done));
    } else {
      REQUIRE((one.done && other.done));
      REQUIRE(facts.broken == (one.detail == ipc::kBarrierBroken));
      REQUIRE(facts.broken == (other.detail == ipc::kBarrierBroken));
    }
    ipc::reset_barrier(table.table());
    for (const uint32_t index : {0u, 1u}) {
      REQUIRE_FALSE(table.arrive().last);
      static_cast<void>(index);
    }
    REQUIRE(table.arrive().last);
  });
}
