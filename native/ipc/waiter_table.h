// Those who wait at a Condition or a Barrier, in shared memory: a slot for each wait, behind a robust mutex. Every
// change of a slot is one store of its state, made last: wherever a process is killed, the table is valid.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <span>

#include "ipc/process_table.h"
#include "sys/futex.h"
#include "sys/result.h"
#include "sys/robust_mutex.h"

namespace mp::ipc {

enum SlotState : uint32_t { kSlotFree, kSlotWaiting, kSlotReleased, kSlotBroken };

struct WaiterSlot {
  uint32_t state;  // a SlotState; its process sleeps on it while it is kSlotWaiting
  UserToken process;
  uint32_t ticket;  // the order of coming
  uint32_t extra;   // with kSlotReleased. Condition: the ticket that was next when it was notified. Barrier: its index
};

struct WaiterTable {
  pthread_mutex_t mutex;
  std::byte unused[64 - sizeof(pthread_mutex_t)];
  uint32_t capacity;
  uint32_t used;  // slots from here on are free
  uint32_t next_ticket;
  uint32_t parties;  // Barrier
  uint32_t broken;   // Barrier
  uint32_t phase;    // Barrier: how often it has opened or was reset; who finds no room sleeps on it
  uint32_t opened;   // Barrier: it has opened for all who have a ticket before this one
  uint32_t rest[9];
  WaiterSlot slots[];

  std::span<WaiterSlot> in_use() { return {slots, used}; }
};

static_assert(sizeof(pthread_mutex_t) <= 64 && sizeof(WaiterTable) == 128 && sizeof(WaiterSlot) == 16);

constexpr size_t waiter_table_bytes(uint32_t capacity) { return sizeof(WaiterTable) + capacity * sizeof(WaiterSlot); }

// In zeroed memory, before anybody else knows of it.
sys::Status prepare(WaiterTable& table, uint32_t capacity, uint32_t parties);

// Tickets wrap round.
inline bool came_before(uint32_t ticket, uint32_t other) { return static_cast<int32_t>(ticket - other) < 0; }

SlotState state_of(WaiterSlot& slot);
void set_state(WaiterSlot& slot, SlotState state);
void wake(WaiterSlot& slot);

// The mutex held. What changes is to be woken after it: wakes are collected here.
class TableTurn {
 public:
  explicit TableTurn(WaiterTable& table) : table_(table), lock_(sys::RobustLock::lock(&table.mutex)) {}

  // A slot that waits from now on; nothing when all are taken.
  WaiterSlot* join(UserToken process);
  // Lowers `used` to the last slot that is taken.
  void trim();

 private:
  WaiterTable& table_;
  const sys::Result<sys::RobustLock> lock_;
};

// The next slot before `slot`, going round, that waits for another process than `slot` does: each waiter looks after
// one, and all together after all. Nothing when there is none.
WaiterSlot* one_to_look_after(WaiterTable& table, const WaiterSlot& slot);

}  // namespace mp::ipc
