#include "ipc/sem_lock.h"

namespace mp::ipc {

namespace {

bool is_free(DoubleWord counts) { return value_of(counts) != 0; }
bool is_held(DoubleWord counts) { return value_of(counts) == 0; }
bool is_overdue(DoubleWord counts) { return (mark_of(counts) & kOverdue) != 0; }
UserToken holder_in(DoubleWord counts) { return mark_of(counts) & ~kOverdue; }

}  // namespace

bool SemLock::release(SemRecord& record) {
  for (;;) {
    const DoubleWord found = load_halves(record.counts);
    if (!is_held(found)) return false;
    const uint32_t mark = mark_of(found);
    const auto same = [mark](DoubleWord counts) { return is_held(counts) && mark_of(counts) == mark; };
    const auto before = change(record.counts, same, 1, mark & kOverdue);
    if (!before) continue;
    if (!has_waiters(*before)) return true;
    const auto woken = sys::futex_wake(value_word(record), 1);
    // There is nobody to let go first.
    const auto still = [](DoubleWord counts) { return is_free(counts) && mark_of(counts) == kOverdue; };
    if (is_overdue(*before) && woken.ok() && woken.value() == 0) change(record.counts, still, 0, kNoUser);
    return true;
  }
}

UserToken SemLock::holder(SemRecord& record) {
  const DoubleWord counts = load_halves(record.counts);
  return is_held(counts) ? holder_in(counts) : kNoUser;
}

bool SemLock::take(SemRecord& record, UserToken self) {
  const auto to_be_had = [](DoubleWord counts) { return is_free(counts) && !is_overdue(counts); };
  return change(record.counts, to_be_had, -1, self).has_value();
}

bool SemLock::take(bool polite) {
  if (take(record_, self())) return true;
  if (polite && !slept_.at_all()) return false;
  const bool overdue = is_overdue(load_halves(record_.counts)) && slept_.leaves_word();
  return change(record_.counts, is_free, -1, self() | (overdue ? kOverdue : 0)).has_value();
}

Outcome SemLock::take_over() {
  const UserToken found = holder(record_);
  if (found == kNoUser || found == self() || !processes().is_dead(found)) return {};
  const pid_t pid = processes().pid_of(found);
  const auto still = [found](DoubleWord counts) { return is_held(counts) && holder_in(counts) == found; };
  if (!change(record_.counts, still, 0, self())) return {};
  taken_from_ = found;
  return {.done = true, .detail = pid == 0 ? -1 : pid};
}

Outcome SemLock::attempt(bool look) {
  if (take(!look)) return {.done = true};
  return look ? take_over() : Outcome{};
}

// Whoever has taken over from the dead and does not want to have leaves that to the next one.
void SemLock::undo() {
  if (taken_from_ == kNoUser) {
    release(record_);
    return;
  }
  change(record_.counts, is_held, 0, taken_from_);
  wake(record_, 1);
}

void SemLock::arm(std::span<sys::FutexWord> words) {
  slept_.once_more();
  // Holders come and go meanwhile.
  for (bool marked = !slept_.for_long(); !marked;) {
    const UserToken found = holder(record_);
    const auto still = [found](DoubleWord counts) { return is_held(counts) && holder_in(counts) == found; };
    marked = found == kNoUser || change(record_.counts, still, 0, found | kOverdue);
  }
  // A free one is slept on by who lets others go first.
  const DoubleWord counts = load_halves(record_.counts);
  words[0] = {value_word(record_), is_free(counts) && is_overdue(counts) ? value_of(counts) : 0};
}

}  // namespace mp::ipc
