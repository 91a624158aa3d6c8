// A wait at a Condition. Who notifies marks slots and goes on; who was notified and died before it noticed leaves the
// notification to another who waited at that time.
#pragma once

#include "ipc/waitable.h"
#include "ipc/waiter_table.h"

namespace mp::ipc {

class ConditionWait final : public Waitable {
 public:
  ConditionWait(SharedRegion region, size_t table, uint32_t slot, UserToken self)
      : Waitable(std::move(region), self), table_(region_->at<WaiterTable>(table)), slot_(table_.slots[slot]) {}

  Outcome attempt(bool look) override;
  void arm(std::span<sys::FutexWord> words) override;
  Outcome give_up() override;
  void withdraw() override;
  void undo() override;

 private:
  WaiterTable& table_;
  WaiterSlot& slot_;
  uint32_t notified_before_ = 0;  // who may inherit the notification
};

// Begins a wait: its slot, or -1 when there are too many.
int32_t join_condition(WaiterTable& table, UserToken self);
// Wakes those who have waited longest, at most `count`; how many.
uint32_t notify(WaiterTable& table, const ProcessTable& processes, uint32_t count);

}  // namespace mp::ipc
