// A lock that is a named semaphore of value 1 for C programs: its unit has a name on it while a process of the library
// holds it, so that a holder's death is noticed and exactly one waiter takes over.
//
// The value (V) and the holder's token (T, the mark) change together, in one compare-and-exchange:
//   take        V 1, T any  -> V 0, T own
//   give back   V 0, T any  -> V 1, T nobody        V 1: over-release, nothing changes
//   take over   V 0, T dead -> V 0, T own
// The mark's top bit (kOverdue) says that somebody has waited for long: who has not slept yet lets others go first. It
// stays when the lock is given back.
//   C's sem_wait V 1 -> V 0 leaves T nobody: such a holder is never taken over from; C's sem_post: V 0 -> V 1.
// Whatever instruction a process is killed at, the record says who holds: there is no state in between.
#pragma once

#include "ipc/sem_record.h"
#include "ipc/waitable.h"

namespace mp::ipc {

inline constexpr uint32_t kOverdue = 1u << 31;

class SemLock final : public Waitable {
 public:
  SemLock(SharedRegion region, UserToken self)
      : Waitable(std::move(region), self), record_(region_->at<SemRecord>(0)) {}

  Outcome attempt(bool look) override;
  bool promising() const override { return !held(record_); }
  void begin() override { begin_waiting(record_); }
  void arm(std::span<sys::FutexWord> words) override;
  void end() override { end_waiting(record_); }
  void pass_on() override { pass_wake_on(record_); }
  void undo() override;

  // Never waits, looks for no dead, lets others go first.
  static bool take(SemRecord& record, UserToken self);
  // Whoever holds it. False: nobody does.
  static bool release(SemRecord& record);
  static bool held(SemRecord& record) { return value_of(load_halves(record.counts)) == 0; }
  // kNoUser also while a program that knows nothing of tokens holds it.
  static UserToken holder(SemRecord& record);

 private:
  bool take(bool polite);
  Outcome take_over();

  SemRecord& record_;
  Slept slept_;
  UserToken taken_from_ = kNoUser;
};

}  // namespace mp::ipc
