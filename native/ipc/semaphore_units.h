// The units of a semaphore, named or in an arena. JavaScript takes and gives them by itself while nobody waits
// (ts/sync/units.ts); waiting is as in glibc.
#pragma once

#include "ipc/sem_record.h"
#include "ipc/waitable.h"

namespace mp::ipc {

class SemaphoreUnits final : public Waitable {
 public:
  SemaphoreUnits(SharedRegion region, size_t offset)
      : Waitable(std::move(region), kNoUser), record_(region_->at<SemRecord>(offset)) {}

  Outcome attempt(bool look) override;
  bool promising() const override { return value_of(load_halves(record_.counts)) != 0; }
  void begin() override { begin_waiting(record_); }
  void arm(std::span<sys::FutexWord> words) override;
  void end() override { end_waiting(record_); }
  void pass_on() override { pass_wake_on(record_); }
  void undo() override { static_cast<void>(release(record_, 1)); }

  // False, and nothing changes: above the bound, or above SEM_VALUE_MAX.
  static bool release(SemRecord& record, uint32_t units);

 private:
  SemRecord& record_;
};

// How many units a semaphore can have.
uint32_t most_units(SemRecord& record);

}  // namespace mp::ipc
