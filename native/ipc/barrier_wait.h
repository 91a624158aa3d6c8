// A party's wait at a Barrier. The last one to come opens it: first all slots get their index, then one store, of
// `opened`, releases them all; what follows only wakes them.
#pragma once

#include "ipc/waitable.h"
#include "ipc/waiter_table.h"

namespace mp::ipc {

// What is not an index.
inline constexpr int32_t kBarrierBroken = -1;
inline constexpr int32_t kBarrierFull = -2;
inline constexpr int32_t kBarrierLeft = -2;

struct Arrival {
  int32_t slot;       // kBarrierBroken; kBarrierFull: those of the phase before are still leaving
  bool last = false;  // all are there: open_barrier()
};

class BarrierWait final : public Waitable {
 public:
  BarrierWait(SharedRegion region, size_t table, uint32_t slot, UserToken self)
      : Waitable(std::move(region), self), table_(region_->at<WaiterTable>(table)), slot_(table_.slots[slot]) {}

  // done: the detail is the index, or kBarrierBroken.
  Outcome attempt(bool look) override;
  void arm(std::span<sys::FutexWord> words) override;
  // Breaks the barrier, unless it has opened.
  Outcome give_up() override;
  void undo() override {}

 private:
  WaiterTable& table_;
  WaiterSlot& slot_;
};

// Waits until there may be room at the barrier.
class BarrierRoom final : public Waitable {
 public:
  BarrierRoom(SharedRegion region, size_t table, uint32_t phase)
      : Waitable(std::move(region), kNoUser), table_(region_->at<WaiterTable>(table)), phase_(phase) {}

  Outcome attempt(bool look) override;
  void arm(std::span<sys::FutexWord> words) override;
  void undo() override {}

 private:
  WaiterTable& table_;
  const uint32_t phase_;
};

Arrival arrive_at_barrier(WaiterTable& table, const ProcessTable& processes, UserToken self);
// By the last one: its own index, or kBarrierBroken when that has happened meanwhile.
int32_t open_barrier(WaiterTable& table, uint32_t slot);
// A party does not want to wait any more: kBarrierLeft when it has left, else how its wait has ended meanwhile.
int32_t leave_barrier(WaiterTable& table, uint32_t slot);
void break_barrier(WaiterTable& table);
void reset_barrier(WaiterTable& table);

struct BarrierFacts {
  uint32_t waiting;
  bool broken;
  uint32_t phase;
};
// Breaks it when a party that waits has died.
BarrierFacts look_at_barrier(WaiterTable& table, const ProcessTable& processes);

}  // namespace mp::ipc
