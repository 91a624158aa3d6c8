// A lock in one 32-bit word of an arena, which JavaScript takes and gives back by itself while nobody waits
// (ts/sync/mutex.ts).
//
//   token           who holds it; kNoUser: it is free
//   kWordWaiters    release wakes one of those who sleep on the word
//   kWordOverdue    somebody has waited for long: who has not slept yet lets others go first
//
//   take       free -> own; who has slept takes it with kWordWaiters, as others may sleep
//   give back  held -> free, kWordOverdue stays
//   take over  dead -> own, kWordWaiters
// Each is one compare-and-exchange: whatever instruction a process is killed at, the word says who holds. A waiter that
// is killed after its wake leaves the others asleep until they next look for themselves.
#pragma once

#include <atomic>

#include "ipc/waitable.h"

namespace mp::ipc {

inline constexpr uint32_t kWordWaiters = 1u << 31;
inline constexpr uint32_t kWordOverdue = 1u << 30;

inline UserToken holder_in(uint32_t word) { return word & ~(kWordWaiters | kWordOverdue); }

class WordLock final : public Waitable {
 public:
  WordLock(SharedRegion region, size_t offset, UserToken self)
      : Waitable(std::move(region), self), word_(region_->at<uint32_t>(offset)) {}

  Outcome attempt(bool look) override;
  bool promising() const override { return std::atomic_ref(word_).load() == 0; }
  void arm(std::span<sys::FutexWord> words) override;
  void pass_on() override;
  void undo() override;

  // Whoever holds it. False: nobody does.
  static bool release(uint32_t& word);

 private:
  bool take(bool polite);
  Outcome take_over();

  uint32_t& word_;
  Slept slept_;
  UserToken taken_from_ = kNoUser;
};

}  // namespace mp::ipc
