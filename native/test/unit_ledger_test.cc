#include "ipc/unit_ledger.h"

#include <doctest/doctest.h>

#include <random>

#include "ipc/semaphore_units.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"
#include "test/support/step_by_step.h"

using namespace mp;

namespace {

// A semaphore with a ledger in an arena.
class Units {
 public:
  explicit Units(uint32_t value) {
    record().counts = {value, ipc::kSharedSemaphore};
    test::must(ipc::prepare(region_->at<ipc::UnitLedger>(kLedger), region_->processes(), self()));
  }

  ipc::UserToken self() const { return test::must(region_->processes().enter()); }
  ipc::RestoredUnits as(ipc::UserToken token) const { return {region_, ipc::kObjectsOffset, kLedger, token}; }
  bool take() const { return as(self()).attempt(true).done; }
  bool release(uint32_t units) const { return as(self()).release(units); }
  uint32_t value() const { return ipc::value_of(ipc::load_halves(record().counts)); }
  // After what the dead held has come back.
  uint32_t restored_value() const {
    as(self()).restore();
    return value();
  }
  ipc::SemRecord& record() const { return region_->at<ipc::SemRecord>(ipc::kObjectsOffset); }
  ipc::ProcessTable& processes() const { return region_->processes(); }

 private:
  static constexpr size_t kLedger = ipc::kObjectsOffset + 64;

  ipc::SharedRegion region_ = test::must(ipc::Region::arena(64 + sizeof(ipc::UnitLedger)));
};

// Of a process that is dead, in whose name others act.
ipc::UserToken token_of_the_doomed(const Units& units) {
  test::in_child([&] { return units.self() == ipc::kNoUser ? 1 : 0; });
  return (units.processes().used - 1) | 1u << 12;
}

}  // namespace

TEST_CASE("units are taken and given back, also by who has none") {
  const Units units(2);
  CHECK(units.take());
  CHECK(units.take());
  CHECK_FALSE(units.take());
  CHECK(units.release(3));
  CHECK(units.value() == 3);
  CHECK(units.restored_value() == 3);
}

TEST_CASE("a release above the bound changes nothing") {
  const Units units(2);
  units.record().bound = 2;
  CHECK_FALSE(units.release(1));
  CHECK(units.take());
  CHECK_FALSE(units.release(2));
  CHECK(units.release(1));
  CHECK(units.value() == 2);
}

TEST_CASE("what the dead hold comes back, to who waits for it") {
  const Units units(3);
  CHECK(test::in_child([&] { return units.take() && units.take() && units.release(1) && units.take() ? 0 : 1; }) == 0);
  CHECK(units.value() == 1);
  CHECK(units.take());
  auto wait = units.as(units.self());
  CHECK(ipc::wait_until(wait, sys::kForever).done);
  CHECK(units.restored_value() == 1);
}

TEST_CASE("what programs without a ledger do to the value is not lost") {
  const Units units(1);
  auto& record = units.record();
  CHECK(test::in_child([&] { return units.take() ? 0 : 1; }) == 0);
  CHECK(ipc::SemaphoreUnits::release(record, 2));
  CHECK(units.restored_value() == 3);
}

TEST_CASE("an entry that a dead process leaves behind goes back before the next one has it") {
  // This process and these: the table is large enough now to have its entries used again.
  const Units units(63);
  for (uint32_t i = 0; i < 63; ++i) REQUIRE(test::in_child([&] { return units.take() ? 0 : 1; }) == 0);
  REQUIRE(units.value() == 0);
  CHECK(test::in_child([&] { return units.take() && units.release(1) ? 0 : 1; }) == 0);
  CHECK(units.processes().used == 64);
  CHECK(units.restored_value() == 63);
}

TEST_CASE("killed at any instruction of take and release: no unit is lost or made") {
  const Units warm(1);
  warm.take();
  warm.release(1);
  const long stride = getenv("MP_SOAK_KILLS") == nullptr ? 29 : 1;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr long kInstructionsOfOne = 31;
#else
  constexpr long kInstructionsOfOne = 1;
#endif
  const long every = stride * kInstructionsOfOne;
  const bool possible =
      test::at_every_instruction(static_cast<long>(std::random_device()() % every), every, [](auto kill) {
        const Units units(2);
        const ipc::UserToken doomed = token_of_the_doomed(units);
        kill([&] {
          auto wait = units.as(doomed);
          wait.attempt(false);
          wait.attempt(false);
          wait.release(1);
          wait.attempt(false);
          wait.release(2);
        });
        REQUIRE(units.restored_value() == 2);
        REQUIRE(units.take());
        REQUIRE(units.take());
        REQUIRE_FALSE(units.take());
      });
  if (!possible) MESSAGE("processes can't be traced here: not tested");
}
