#include "ipc/sem_lock.h"

#include <algorithm>
#include <optional>

#include "sys/futex.h"

namespace mp::ipc {

namespace {

constexpr uint64_t kLowHalf = 0xffff'ffff;
constexpr uint64_t kOneWaiter = uint64_t{1} << 32;

uint32_t value_of(DoubleWord counts) { return static_cast<uint32_t>(counts.low); }
bool has_waiters(DoubleWord counts) { return counts.low >= kOneWaiter; }
ProcessToken token_in(DoubleWord counts) { return static_cast<ProcessToken>(counts.high >> 32); }
uint64_t with_token(DoubleWord counts, ProcessToken token) {
  return (counts.high & kLowHalf) | static_cast<uint64_t>(token) << 32;
}

// Adds to the value and sets the token, all at once, however often others change the counts meanwhile. The counts as
// they were, or nothing as soon as `wanted` does not want them.
template <typename Wanted>
std::optional<DoubleWord> change(DoubleWord& counts, Wanted wanted, int64_t units, ProcessToken token) {
  for (;;) {
    const DoubleWord found = load_halves(counts);
    if (!wanted(found)) return std::nullopt;
    const DoubleWord changed{found.low + static_cast<uint64_t>(units), with_token(found, token)};
    if (compare_exchange(counts, found, changed)) return found;
  }
}

const uint32_t* futex_word(const DoubleWord& counts) { return reinterpret_cast<const uint32_t*>(&counts.low); }

}  // namespace

bool SemLock::take(ProcessToken self) const {
  const auto has_unit = [](DoubleWord counts) { return value_of(counts) != 0; };
  return change(page_->record().counts, has_unit, -1, self).has_value();
}

bool SemLock::release() const {
  DoubleWord& counts = page_->record().counts;
  const auto before = change(counts, [](DoubleWord found) { return value_of(found) == 0; }, 1, kNobody);
  if (!before) return false;
  if (has_waiters(*before)) static_cast<void>(sys::futex_wake(futex_word(counts), 1));
  return true;
}

ProcessToken SemLock::holder() const {
  const DoubleWord counts = load_halves(page_->record().counts);
  return value_of(counts) == 0 ? token_in(counts) : kNobody;
}

bool SemLock::held() const { return value_of(load_halves(page_->record().counts)) == 0; }

Attempt SemLock::take_over(ProcessToken self) const {
  const ProcessToken found = holder();
  if (found == kNobody || found == self) return {};
  // Read after the token: who comes from another namespace says so before it leaves its token.
  if (std::atomic_ref(page_->record().pid_namespace).load() == kMixedNamespaces || !is_dead(found)) return {};
  const auto still = [found](DoubleWord counts) { return value_of(counts) == 0 && token_in(counts) == found; };
  if (!change(page_->record().counts, still, 0, self)) return {};
  return {.acquired = true, .dead_holder = pid_of(found)};
}

Attempt SemLock::try_acquire(ProcessToken self) const {
  if (take(self)) return {.acquired = true};
  return take_over(self);
}

Attempt SemLock::attempt(ProcessToken self, HolderChecks& checks) const {
  if (take(self)) return {.acquired = true};
  return checks.due() ? take_over(self) : Attempt{};
}

Attempt SemLock::acquire_until(ProcessToken self, sys::Deadline deadline) const {
  if (take(self)) return {.acquired = true};
  for (HolderChecks checks; sys::monotonic_now() < deadline; sleep_until(std::min(deadline, checks.next()))) {
    if (const Attempt made = attempt(self, checks); made.acquired) return made;
  }
  return try_acquire(self);
}

void SemLock::sleep_until(sys::Deadline deadline) const {
  DoubleWord& counts = page_->record().counts;
  // glibc's protocol: sem_post wakes only when there are waiters. One that is killed is counted for good, which costs
  // every later post a call in vain.
  const std::atomic_ref waiters(counts.low);
  waiters.fetch_add(kOneWaiter);
  static_cast<void>(sys::futex_wait(futex_word(counts), 0, deadline));
  waiters.fetch_sub(kOneWaiter);
}

void SemLock::pass_on() const {
  const DoubleWord counts = load_halves(page_->record().counts);
  if (value_of(counts) != 0 && has_waiters(counts)) {
    static_cast<void>(sys::futex_wake(futex_word(page_->record().counts), 1));
  }
}

}  // namespace mp::ipc
