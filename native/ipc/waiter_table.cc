#include "ipc/waiter_table.h"

#include <atomic>
#include <climits>

namespace mp::ipc {

sys::Status prepare(WaiterTable& table, uint32_t capacity, uint32_t parties) {
  table.capacity = capacity;
  table.parties = parties;
  return sys::init_robust_mutex(&table.mutex);
}

SlotState state_of(WaiterSlot& slot) { return static_cast<SlotState>(std::atomic_ref(slot.state).load()); }

void set_state(WaiterSlot& slot, SlotState state) { std::atomic_ref(slot.state).store(state); }

void wake(WaiterSlot& slot) { static_cast<void>(sys::futex_wake(&slot.state, INT_MAX)); }

WaiterSlot* TableTurn::join(UserToken process) {
  uint32_t index = 0;
  while (index < table_.used && state_of(table_.slots[index]) != kSlotFree) ++index;
  if (index == table_.capacity) return nullptr;
  WaiterSlot& slot = table_.slots[index];
  slot.process = process;
  slot.ticket = table_.next_ticket++;
  slot.extra = 0;
  if (index == table_.used) std::atomic_ref(table_.used).store(index + 1);
  set_state(slot, kSlotWaiting);
  return &slot;
}

void TableTurn::trim() {
  uint32_t used = table_.used;
  while (used > 0 && state_of(table_.slots[used - 1]) == kSlotFree) --used;
  std::atomic_ref(table_.used).store(used);
}

WaiterSlot* one_to_look_after(WaiterTable& table, const WaiterSlot& slot) {
  const uint32_t used = std::atomic_ref(table.used).load();
  const auto own = static_cast<uint32_t>(&slot - table.slots);
  for (uint32_t step = 1; step < used; ++step) {
    WaiterSlot& found = table.slots[(own + used - step) % used];
    if (state_of(found) != kSlotFree && found.process != slot.process) return &found;
  }
  return nullptr;
}

}  // namespace mp::ipc
