// Messages that are written and read in the ring's memory.
#include <algorithm>
#include <cerrno>

#include "ipc/ring.h"
#include "ipc/ring_message.h"
#include "sys/fork_count.h"

namespace mp::ipc {

// Found out once in each process.
sys::Result<ProcessIdentity> Ring::own_owner() {
  const uint32_t forks = sys::fork_count();
  if (owner_.pid != 0 && owner_forks_ == forks) return owner_;
  auto owner = own_identity();
  if (!owner.ok()) return owner;
  owner_ = owner.value();
  owner_forks_ = forks;
  return owner;
}

sys::Result<PutOutcome> Ring::put_loan(const Loan& loan, uint64_t size, bool ask) {
  return put({{}, std::min<uint64_t>(size, loan.bytes.size()), {}, &loan}, ask);
}

sys::Result<LoanTaken> Ring::take_loan(bool ask) { return take_loan(LoanTerm::kLimited, 0, ask); }

sys::Result<LoanTaken> Ring::take_to_keep(uint64_t least, bool ask) { return take_loan(LoanTerm::kKept, least, ask); }

sys::Result<LoanTaken> Ring::take_loan(LoanTerm term, uint64_t least, bool ask) {
  auto taken = try_take_loan(term, least);
  if (!ask || !taken.ok() || taken.value().outcome != TakeOutcome::kEmpty) return taken;
  if (auto asked = ask_for_items(); !asked) return asked.error();
  return try_take_loan(term, least);
}

// What is kept for good must leave room in the table of loans, and for the longest message somewhere.
bool Ring::is_in_the_way(Run run) const {
  return !segments().are_whole_pages() || run.first + run.count > segments().most_kept() ||
         header()->space.loans.load() >= kRingLoans / 2;
}

sys::Result<LoanTaken> Ring::try_take_loan(LoanTerm term, uint64_t least) {
  RingEnd& head = header()->head;
  auto lock = hold(head);
  if (!lock) return lock.error();
  const uint64_t count = head.count.load(std::memory_order_relaxed);
  if (const auto nothing = nothing_there(count)) return LoanTaken{*nothing, 0, {}};
  const auto found = find_oldest(count);
  if (!found) return sys::Error{EBADMSG, "take"};
  const LoanTaken not_lent{TakeOutcome::kTooLong, found->size, {}};
  if (!found->run || found->serial || found->size < least) return not_lent;
  if (term == LoanTerm::kKept && is_in_the_way(*found->run)) return not_lent;
  const auto owner = own_owner();
  if (!owner) return owner.error();
  auto number = segments().note_loan(*found->run, owner.value());
  if (!number) return number.error();
  if (!number.value()) return not_lent;
  if (auto passed = pass(head, count, found->next, files_.space_bell.get()); !passed) {
    static_cast<void>(segments().forget_loan(*number.value()));
    return passed.error();
  }
  if (found->passed) static_cast<void>(segments().give_back({*found->passed, 1}));
  const std::span<uint8_t> bytes{segments().start_of(found->run->first), found->size};
  return LoanTaken{TakeOutcome::kMessage, found->size, Loan{*number.value(), found->run->first, bytes}};
}

sys::Result<std::optional<Loan>> Ring::lend(uint64_t size, bool ask) {
  auto loan = try_lend(size);
  if (!ask || !loan.ok() || loan.value()) return loan;
  const auto asked = ask_for_space();
  if (!asked) return asked.error();
  loan = try_lend(size);
  if (!loan.ok() || loan.value()) return loan;
  if (auto asleep = sleep_for_space(asked.value()); !asleep) return asleep.error();
  return loan;
}

sys::Result<std::optional<Loan>> Ring::try_lend(uint64_t size) {
  const uint64_t needed = std::max<uint64_t>(1, segments().needed(size));
  if (needed > segments().longest_run()) return sys::Error{EMSGSIZE, "lend"};
  const auto owner = own_owner();
  if (!owner) return owner.error();
  auto lock = hold(header()->tail);
  if (!lock) return lock.error();
  auto run = take_segments(needed);
  if (!run) return run.error();
  if (!run.value()) return std::optional<Loan>();
  auto number = segments().note_loan(*run.value(), owner.value());
  if (!number.ok() || !number.value()) {
    static_cast<void>(segments().give_back(*run.value()));
    if (!number.ok()) return number.error();
    return std::optional<Loan>();
  }
  const uint32_t first = run.value()->first;
  return std::optional(Loan{*number.value(), first, {segments().start_of(first), size}});
}

// The bell first, as everywhere: who dies in between has woken somebody for nothing.
sys::Status Ring::give_back(const Loan& loan) {
  RingEnd& head = header()->head;
  auto lock = hold(head);
  if (!lock) return lock.error();
  if (auto woken = wake(head, files_.space_bell.get()); !woken) return woken;
  return give_back_kept(loan);
}

sys::Status Ring::make_own(const Loan& loan, sys::Mapping& memory) const {
  const uint64_t offset = header()->shape.segments + loan.first * header()->shape.segment_size;
  return memory.make_private(sys::pages_of(loan.bytes), files_.memory.get(), static_cast<int64_t>(offset));
}

sys::Status Ring::give_back_kept(const Loan& loan) {
  if (auto given = segments().give_back_loan(loan.number); !given) return given;
  if (size() == 0) trim_unless_wanted();
  return sys::done();
}

}  // namespace mp::ipc
