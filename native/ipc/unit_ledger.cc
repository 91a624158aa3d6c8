#include "ipc/unit_ledger.h"

#include <sched.h>

#include <algorithm>

#include "ipc/semaphore_units.h"

namespace mp::ipc {

namespace {

constexpr int kCountBits = 20;
constexpr uint32_t kMade = UINT32_MAX;

uint32_t make_mark(uint32_t index, uint32_t units) { return (index + 1) << kCountBits | units; }

uint64_t& whole(UnitLedger::Entry& entry) { return reinterpret_cast<uint64_t&>(entry); }

}  // namespace

sys::Status prepare(UnitLedger& ledger, const ProcessTable& processes, UserToken self) {
  const std::atomic_ref maker(ledger.maker);
  for (;;) {
    uint32_t found = maker.load();
    if (found == kMade) return sys::done();
    if (found != kNoUser && found != self && !processes.is_dead(found)) {
      sched_yield();
      continue;
    }
    if (!maker.compare_exchange_strong(found, self)) continue;
    const auto made = sys::init_robust_mutex(&ledger.mutex);
    maker.store(made.ok() ? kMade : kNoUser);
    return made;
  }
}

// The mutex held, and what a process left half done finished.
class RestoredUnits::Turn {
 public:
  explicit Turn(RestoredUnits& units)
      : record_(units.record_),
        ledger_(units.ledger_),
        processes_(units.processes()),
        lock_(sys::RobustLock::lock(&ledger_.mutex)) {
    finish();
  }

  UnitLedger::Entry& entry(uint32_t index) { return ledger_.entries[index]; }

  // Adds to the value where `wanted` agrees, with `held` units in the entry afterwards. The counts as they were.
  template <typename Wanted>
  std::optional<DoubleWord> book(Wanted wanted, int64_t units, uint32_t index, uint32_t held) {
    const auto before = change(record_.counts, wanted, units, make_mark(index, held));
    if (before) finish();
    return before;
  }

  // How many units came back.
  uint32_t restore(uint32_t index) {
    const uint32_t held = entry(index).units;
    if (held == 0 || !processes_.is_dead(entry(index).holder)) return 0;
    const uint32_t most = most_units(record_);
    for (;;) {
      // A program without a ledger may have given one of them back already.
      const uint32_t value = value_of(load_halves(record_.counts));
      const uint32_t back = std::min(held, most - std::min(most, value));
      const auto same = [value](DoubleWord counts) { return value_of(counts) == value; };
      if (book(same, back, index, 0)) return back;
    }
  }

  uint32_t restore_all() {
    const uint32_t used = std::min(std::atomic_ref(processes_.used).load(), kMostProcesses);
    uint32_t back = 0;
    for (uint32_t index = 0; index < used; ++index) back += restore(index);
    return back;
  }

  // The caller's entry, without what its predecessor held.
  UnitLedger::Entry& own(UserToken self, uint32_t& back) {
    UnitLedger::Entry& found = entry(index_of(self));
    if (found.holder != self) {
      back += restore(index_of(self));
      std::atomic_ref(whole(found)).store(self);
    }
    return found;
  }

 private:
  void finish() {
    const uint32_t mark = mark_of(load_halves(record_.counts));
    if (mark >> kCountBits == 0) return;
    entry((mark >> kCountBits) - 1).units = mark & kMostUnitsHeld;
    std::atomic_ref(reinterpret_cast<uint32_t*>(&record_.counts.high)[1]).store(0);
  }

  SemRecord& record_;
  UnitLedger& ledger_;
  ProcessTable& processes_;
  const sys::Result<sys::RobustLock> lock_;
};

Outcome RestoredUnits::attempt(bool look) {
  const bool empty = value_of(load_halves(record_.counts)) == 0;
  if (empty && !look) return {};
  uint32_t back = 0;
  bool taken = false;
  {
    Turn turn(*this);
    if (empty) back += turn.restore_all();
    UnitLedger::Entry& own = turn.own(self(), back);
    const auto has_unit = [](DoubleWord counts) { return value_of(counts) != 0; };
    if (own.units < kMostUnitsHeld) {
      taken = turn.book(has_unit, -1, index_of(self()), own.units + 1).has_value();
    }
  }
  if (back > 0) wake(record_, static_cast<int>(back));
  return {.done = taken};
}

void RestoredUnits::arm(std::span<sys::FutexWord> words) { words[0] = {value_word(record_), 0}; }

bool RestoredUnits::release(uint32_t units) {
  uint32_t back = 0;
  bool released = false;
  {
    Turn turn(*this);
    const uint32_t held = turn.own(self(), back).units;
    const uint64_t most = most_units(record_);
    const auto fits = [&](DoubleWord counts) { return value_of(counts) + uint64_t{units} <= most; };
    released = turn.book(fits, units, index_of(self()), held - std::min(held, units)).has_value();
  }
  if (released) back += units;
  if (back > 0) wake(record_, static_cast<int>(back));
  return released;
}

void RestoredUnits::restore() {
  const uint32_t back = [&] { return Turn(*this).restore_all(); }();
  if (back > 0) wake(record_, static_cast<int>(back));
}

}  // namespace mp::ipc
