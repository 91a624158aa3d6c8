// Who holds how many units of a semaphore, so that those of the dead come back, as SEM_UNDO of semop(2) has it. The
// processes that keep the ledger and programs that only know sem_t (C's, and the library's without `restore`) use one
// semaphore together.
//
// A change of the value and its entry can't be written at once, but the value and the record's mark can: the mark says
// which entry (index + 1, upper 12 bits) gets which count (lower 20 bits). Whoever has the mutex next finishes that, so
// wherever a process is killed the units are in the value or in its entry.
#pragma once

#include <pthread.h>

#include <cstdint>

#include "ipc/sem_record.h"
#include "ipc/waitable.h"
#include "sys/robust_mutex.h"

namespace mp::ipc {

struct UnitLedger {
  pthread_mutex_t mutex;
  uint32_t maker;  // of the mutex: kNoUser, who makes it at present, or kMade
  std::byte unused[128 - sizeof(pthread_mutex_t) - 4];

  // Of the process at the same index of the table of processes. Eight bytes, which change together.
  struct Entry {
    UserToken holder;
    uint32_t units;
  };
  Entry entries[kMostProcesses + 1];
};

inline constexpr uint32_t kMostUnitsHeld = (1u << 20) - 1;

static_assert(sizeof(pthread_mutex_t) + 4 <= 128 && sizeof(UnitLedger) == 128 + 8 * 4096);
static_assert(kObjectsOffset + sizeof(UnitLedger) <= kSemaphoreFileBytes);

// Makes the ledger usable; whoever comes first does.
sys::Status prepare(UnitLedger& ledger, const ProcessTable& processes, UserToken self);

class RestoredUnits final : public Waitable {
 public:
  RestoredUnits(SharedRegion region, size_t offset, size_t ledger, UserToken self)
      : Waitable(std::move(region), self),
        record_(region_->at<SemRecord>(offset)),
        ledger_(region_->at<UnitLedger>(ledger)) {}

  Outcome attempt(bool look) override;
  void begin() override { begin_waiting(record_); }
  void arm(std::span<sys::FutexWord> words) override;
  void end() override { end_waiting(record_); }
  void pass_on() override { pass_wake_on(record_); }
  void undo() override { static_cast<void>(release(1)); }

  // Also units that others hold: those stay theirs. False, and nothing changes: more than there may be.
  bool release(uint32_t units);
  // Gives back what the dead hold.
  void restore();

 private:
  class Turn;

  SemRecord& record_;
  UnitLedger& ledger_;
};

}  // namespace mp::ipc
