#include "ipc/sem_lock.h"

namespace mp::ipc {

bool SemLock::release(SemRecord& record) {
  const auto is_held = [](DoubleWord counts) { return value_of(counts) == 0; };
  const auto before = change(record.counts, is_held, 1, kNobody);
  if (!before) return false;
  if (has_waiters(*before)) static_cast<void>(sys::futex_wake(value_word(record), 1));
  return true;
}

ProcessToken SemLock::holder(SemRecord& record) {
  const DoubleWord counts = load_halves(record.counts);
  return value_of(counts) == 0 ? mark_of(counts) : kNobody;
}

Outcome SemLock::take_over() {
  const ProcessToken found = holder(record_);
  if (found == kNobody || found == self() || !processes().is_dead(found)) return {};
  const pid_t pid = processes().pid_of(found);
  const auto still = [found](DoubleWord counts) { return value_of(counts) == 0 && mark_of(counts) == found; };
  if (!change(record_.counts, still, 0, self())) return {};
  taken_from_ = found;
  return {.done = true, .detail = pid == 0 ? -1 : pid};
}

bool SemLock::take(SemRecord& record, ProcessToken self) {
  const auto has_unit = [](DoubleWord counts) { return value_of(counts) != 0; };
  return change(record.counts, has_unit, -1, self).has_value();
}

Outcome SemLock::attempt(bool look) {
  if (take(record_, self())) return {.done = true};
  return look ? take_over() : Outcome{};
}

// Whoever has taken over from the dead and does not want to have leaves that to the next one.
void SemLock::undo() {
  if (taken_from_ == kNobody) {
    release(record_);
    return;
  }
  const auto held = [](DoubleWord counts) { return value_of(counts) == 0; };
  change(record_.counts, held, 0, taken_from_);
  wake(record_, 1);
}

void SemLock::arm(std::span<sys::FutexWord> words) { words[0] = {value_word(record_), 0}; }

}  // namespace mp::ipc
