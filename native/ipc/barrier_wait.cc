#include "ipc/barrier_wait.h"

#include <algorithm>
#include <climits>
#include <vector>

namespace mp::ipc {

namespace {

SlotState state_in(WaiterTable& table, WaiterSlot& slot) {
  const SlotState state = state_of(slot);
  const bool opened = state == kSlotWaiting && came_before(slot.ticket, std::atomic_ref(table.opened).load());
  return opened ? kSlotReleased : state;
}

std::vector<WaiterSlot*> waiting_at(WaiterTable& table) {
  std::vector<WaiterSlot*> found;
  for (WaiterSlot& slot : table.in_use()) {
    if (state_in(table, slot) == kSlotWaiting) found.push_back(&slot);
  }
  std::sort(found.begin(), found.end(), [](auto* one, auto* other) { return came_before(one->ticket, other->ticket); });
  return found;
}

// From here on the mutex is held.

void end_phase(WaiterTable& table) {
  std::atomic_ref(table.phase).fetch_add(1);
  static_cast<void>(sys::futex_wake(&table.phase, INT_MAX));
}

void turn_all_away(WaiterTable& table) {
  for (WaiterSlot* slot : waiting_at(table)) {
    set_state(*slot, kSlotBroken);
    wake(*slot);
  }
}

void break_now(WaiterTable& table) {
  std::atomic_ref(table.broken).store(1);
  turn_all_away(table);
  end_phase(table);
}

// Slots of those who died on their way out are free again; a dead one that still waits breaks the barrier.
void sweep(WaiterTable& table, const ProcessTable& processes, bool among_leaving) {
  for (WaiterSlot& slot : table.in_use()) {
    const SlotState state = state_in(table, slot);
    if (state == kSlotFree || (state != kSlotWaiting && !among_leaving) || !processes.is_dead(slot.process)) continue;
    set_state(slot, kSlotFree);
    if (state == kSlotWaiting) break_now(table);
  }
}

bool is_broken(WaiterTable& table) { return std::atomic_ref(table.broken).load() != 0; }

}  // namespace

Arrival arrive_at_barrier(WaiterTable& table, const ProcessTable& processes, UserToken self) {
  TableTurn turn(table);
  turn.trim();
  if (is_broken(table)) return {.slot = kBarrierBroken};
  const size_t there = waiting_at(table).size();
  if (there + 1 >= table.parties) sweep(table, processes, false);
  if (is_broken(table)) return {.slot = kBarrierBroken};
  if (there >= table.parties) return {.slot = kBarrierFull};
  WaiterSlot* slot = turn.join(self);
  if (slot == nullptr) {
    sweep(table, processes, true);
    return {.slot = is_broken(table) ? kBarrierBroken : kBarrierFull};
  }
  return {.slot = static_cast<int32_t>(slot - table.slots), .last = there + 1 == table.parties};
}

int32_t open_barrier(WaiterTable& table, uint32_t own) {
  TableTurn turn(table);
  WaiterSlot& slot = table.slots[own];
  if (state_in(table, slot) != kSlotWaiting) {
    set_state(slot, kSlotFree);
    return kBarrierBroken;
  }
  const auto all = waiting_at(table);
  for (uint32_t index = 0; index < all.size(); ++index) all[index]->extra = index;
  std::atomic_ref(table.opened).store(table.next_ticket);
  const auto index = static_cast<int32_t>(slot.extra);
  for (WaiterSlot* one : all) {
    // Unless it has seen for itself, and left.
    uint32_t waiting = kSlotWaiting;
    std::atomic_ref(one->state).compare_exchange_strong(waiting, one == &slot ? kSlotFree : kSlotReleased);
    wake(*one);
  }
  end_phase(table);
  return index;
}

int32_t leave_barrier(WaiterTable& table, uint32_t own) {
  TableTurn turn(table);
  WaiterSlot& slot = table.slots[own];
  const SlotState state = state_in(table, slot);
  set_state(slot, kSlotFree);
  if (state == kSlotWaiting) return kBarrierLeft;
  return state == kSlotReleased ? static_cast<int32_t>(slot.extra) : kBarrierBroken;
}

void break_barrier(WaiterTable& table) {
  TableTurn turn(table);
  break_now(table);
}

void reset_barrier(WaiterTable& table) {
  TableTurn turn(table);
  turn_all_away(table);
  std::atomic_ref(table.broken).store(0);
  end_phase(table);
}

BarrierFacts look_at_barrier(WaiterTable& table, const ProcessTable& processes) {
  TableTurn turn(table);
  sweep(table, processes, false);
  return {static_cast<uint32_t>(waiting_at(table).size()), is_broken(table), std::atomic_ref(table.phase).load()};
}

Outcome BarrierWait::attempt(bool look) {
  const SlotState state = state_in(table_, slot_);
  if (state == kSlotReleased || state == kSlotBroken) {
    const int32_t detail = state == kSlotReleased ? static_cast<int32_t>(slot_.extra) : kBarrierBroken;
    set_state(slot_, kSlotFree);
    return {.done = true, .detail = detail};
  }
  if (look) {
    WaiterSlot* other = one_to_look_after(table_, slot_);
    if (other != nullptr && processes().is_dead(other->process)) {
      TableTurn turn(table_);
      sweep(table_, processes(), true);
    }
  }
  return {};
}

void BarrierWait::arm(std::span<sys::FutexWord> words) { words[0] = {&slot_.state, kSlotWaiting}; }

Outcome BarrierWait::give_up() {
  if (const Outcome outcome = attempt(false); outcome.done) return outcome;
  TableTurn turn(table_);
  if (state_in(table_, slot_) == kSlotWaiting) break_now(table_);
  const bool opened = state_in(table_, slot_) == kSlotReleased;
  set_state(slot_, kSlotFree);
  return {.done = true, .detail = opened ? static_cast<int32_t>(slot_.extra) : kBarrierBroken};
}

// Those who leave make room too, one by one: another try now and then.
Outcome BarrierRoom::attempt(bool look) { return {.done = look || std::atomic_ref(table_.phase).load() != phase_}; }

void BarrierRoom::arm(std::span<sys::FutexWord> words) { words[0] = {&table_.phase, phase_}; }

}  // namespace mp::ipc
