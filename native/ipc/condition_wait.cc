#include "ipc/condition_wait.h"

#include <algorithm>
#include <vector>

namespace mp::ipc {

namespace {

// Marks the first of those who wait, came before `ticket` and live; where they wait, or nothing. The mutex is held.
WaiterSlot* notify_one(WaiterTable& table, const ProcessTable& processes, uint32_t ticket) {
  for (;;) {
    WaiterSlot* first = nullptr;
    for (WaiterSlot& slot : table.in_use()) {
      if (state_of(slot) != kSlotWaiting || !came_before(slot.ticket, ticket)) continue;
      if (first == nullptr || came_before(slot.ticket, first->ticket)) first = &slot;
    }
    if (first == nullptr) return nullptr;
    if (processes.is_dead(first->process)) {
      set_state(*first, kSlotFree);
      continue;
    }
    first->extra = ticket;
    set_state(*first, kSlotReleased);
    return first;
  }
}

// The slot is given up; a notification that came to it goes to another. Who is woken by that.
WaiterSlot* leave(WaiterTable& table, const ProcessTable& processes, WaiterSlot& slot) {
  const bool notified = state_of(slot) == kSlotReleased;
  WaiterSlot* const heir = notified ? notify_one(table, processes, slot.extra) : nullptr;
  set_state(slot, kSlotFree);
  return heir;
}

}  // namespace

int32_t join_condition(WaiterTable& table, UserToken self) {
  TableTurn turn(table);
  const WaiterSlot* slot = turn.join(self);
  return slot == nullptr ? -1 : static_cast<int32_t>(slot - table.slots);
}

uint32_t notify(WaiterTable& table, const ProcessTable& processes, uint32_t count) {
  if (std::atomic_ref(table.used).load() == 0) return 0;
  std::vector<WaiterSlot*> woken;
  {
    TableTurn turn(table);
    if (count == 1) {
      if (WaiterSlot* slot = notify_one(table, processes, table.next_ticket)) woken.push_back(slot);
    } else {
      std::vector<WaiterSlot*> waiting;
      for (WaiterSlot& slot : table.in_use()) {
        if (state_of(slot) == kSlotWaiting) waiting.push_back(&slot);
      }
      std::sort(waiting.begin(), waiting.end(),
                [](auto* one, auto* other) { return came_before(one->ticket, other->ticket); });
      for (WaiterSlot* slot : waiting) {
        if (woken.size() == count) break;
        if (processes.is_dead(slot->process)) {
          set_state(*slot, kSlotFree);
          continue;
        }
        slot->extra = table.next_ticket;
        set_state(*slot, kSlotReleased);
        woken.push_back(slot);
      }
    }
    turn.trim();
  }
  for (WaiterSlot* slot : woken) wake(*slot);
  return static_cast<uint32_t>(woken.size());
}

Outcome ConditionWait::attempt(bool look) {
  if (state_of(slot_) == kSlotReleased) {
    notified_before_ = slot_.extra;
    set_state(slot_, kSlotFree);
    return {.done = true};
  }
  if (look) {
    WaiterSlot* heir = nullptr;
    WaiterSlot* other = one_to_look_after(table_, slot_);
    if (other != nullptr && processes().is_dead(other->process)) {
      TableTurn turn(table_);
      if (state_of(*other) != kSlotFree && processes().is_dead(other->process))
        heir = leave(table_, processes(), *other);
    }
    if (heir != nullptr) wake(*heir);
  }
  return {};
}

void ConditionWait::arm(std::span<sys::FutexWord> words) { words[0] = {&slot_.state, kSlotWaiting}; }

Outcome ConditionWait::give_up() {
  TableTurn turn(table_);
  const bool notified = state_of(slot_) == kSlotReleased;
  notified_before_ = slot_.extra;
  set_state(slot_, kSlotFree);
  return {.done = notified};
}

void ConditionWait::withdraw() {
  if (give_up().done) undo();
}

void ConditionWait::undo() {
  WaiterSlot* heir = [&] {
    TableTurn turn(table_);
    return notify_one(table_, processes(), notified_before_);
  }();
  if (heir != nullptr) wake(*heir);
}

}  // namespace mp::ipc
