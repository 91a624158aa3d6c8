// An Event: a semaphore whose value is not 0 while it is set, so that a C program's sem_post sets it and sem_getvalue
// tells. Setting and clearing is JavaScript's (ts/sync/event.ts): value 0 -> 1, then the epoch goes up, then all are
// woken. A waiter is done when it sees the value or another epoch than at its begin: what is cleared at once was set
// all the same.
#pragma once

#include "ipc/sem_record.h"
#include "ipc/waitable.h"

namespace mp::ipc {

class EventFlag final : public Waitable {
 public:
  EventFlag(SharedRegion region, size_t offset)
      : Waitable(std::move(region), kNoUser),
        record_(region_->at<SemRecord>(offset)),
        epoch_(std::atomic_ref(record_.epoch).load()) {}

  Outcome attempt(bool look) override;
  void begin() override { begin_waiting(record_); }
  size_t words() const override { return 2; }
  void arm(std::span<sys::FutexWord> words) override;
  void end() override;
  void undo() override {}

 private:
  SemRecord& record_;
  const uint32_t epoch_;
};

}  // namespace mp::ipc
