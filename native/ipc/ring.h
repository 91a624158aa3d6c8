// A queue of byte messages in shared memory, for any number of producing and consuming processes. docs/ring.md explains
// the layout, the memory order and what a death leaves.
//
//   put ──► tail ─ [ record ] [ record ] … ─ head ──► take     a robust mutex at each end
//           waiting consumers poll the bell of items, waiting producers that of space
//
// Death: whoever is killed, wherever, leaves a ring that the next user can go on with. A message is in the ring or not
// at all (see RingEnd::count); at most the one that was just being put or just taken is missing. A process that is
// stopped (SIGSTOP) in the middle of an operation does hold up the others until it goes on.
//
// Bells: eventfds, readable means "look again". Whoever finds nothing and means to sleep says so at the other end
// (`asked`) and looks once more; whoever then provides rings first, then commits. A bell that may ring for somebody
// else is not silenced. So at every instant, at every death, either there is nothing and who sleeps is noted, or the
// bell is ringing. Ended means ringing for ever.
//
// Memory: segments of a sparse file, the lowest first. What has been consumed is used again, or given back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ipc/ring_layout.h"
#include "ipc/ring_space.h"
#include "sys/mapping.h"
#include "sys/result.h"
#include "sys/robust_mutex.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

enum class PutOutcome { kDone, kFull, kEnded };
enum class TakeOutcome { kMessage, kEmpty, kEnded, kTooLong };
enum class DoneOutcome { kDone, kTooMany };

struct Taken {
  TakeOutcome outcome;
  uint64_t size = 0;  // also of a message that is too long for the buffer, and stays
  std::vector<sys::UniqueFd> descriptors;
};

// A run of segments in this process's hands, with a message in it or to be written.
struct Loan {
  uint32_t number;
  uint32_t first;
  std::span<uint8_t> bytes;
};

struct LoanTaken {
  TakeOutcome outcome;  // kTooLong: the message is not in segments of its own; take() it
  uint64_t size = 0;
  std::optional<Loan> loan;
};

// The descriptors that are a ring.
struct RingFiles {
  sys::UniqueFd memory;
  sys::UniqueFd items_bell;
  sys::UniqueFd space_bell;
  sys::UniqueFd done_bell;
  sys::UniqueFd mail_in;  // the mailbox: descriptors of messages in the ring
  sys::UniqueFd mail_out;
};

// A forked child goes on with the copy of the object that it inherits: memory and descriptors are the same.
class Ring {
 public:
  using Bytes = std::span<const uint8_t>;

  // `capacity` in bytes, five pages or more: address space, not memory; a message may be more than a quarter of it.
  // `max_count` 0: as many as fit.
  static sys::Result<Ring> create(uint64_t capacity, uint64_t max_count);
  // The ring that another process has made. EPROTO: these are no ring's, or another version's.
  static sys::Result<Ring> open(RingFiles files);

  // Appends one message made of the parts; descriptors go along as copies. kFull, with `ask`: the bell of space rings
  // when it is worth another try. EMSGSIZE: it may not fit an empty ring either. ENOSPC, ENOMEM: the system has no
  // memory for it.
  sys::Result<PutOutcome> put(std::span<const Bytes> parts, bool ask, std::span<const int> descriptors = {});

  // From here on put() of short messages by this object wakes nobody until ring_items_bell(): several messages, one
  // waking. Who sleeps stays noted meanwhile. For a producer without whom nobody waits for messages.
  void hold_items_bell() { holds_items_bell_ = true; }
  sys::Status ring_items_bell();

  // Takes the oldest message into `buffer`; kTooLong, and nothing is taken, where that is too small. kEmpty, with
  // `ask`: the bell of items rings when it is worth another try. kEnded: it is empty and nothing will come.
  sys::Result<Taken> take(std::span<uint8_t> buffer, bool ask);

  // Room for a message of `size` bytes, to be written in place. Nothing while the ring has no room or 128 are lent;
  // with `ask` the bell of space rings when it is worth another try.
  sys::Result<std::optional<Loan>> lend(uint64_t size, bool ask);
  // put() of `parts`, then the first `size` bytes of the loan, which is the ring's again unless it is full.
  sys::Result<PutOutcome> put_loan(const Loan& loan, uint64_t size, bool ask);
  // take() of a message that stays in place, until it is given back.
  sys::Result<LoanTaken> take_loan(bool ask);
  // take_loan() of a message of `least` bytes or more that may never be given back: kTooLong where that could be in
  // anybody's way.
  sys::Result<LoanTaken> take_to_keep(uint64_t least, bool ask);
  // The end of a loan that was not put. Only by the process that has it.
  sys::Status give_back(const Loan& loan);
  // The same of one that was kept, on any thread. Nobody waits for that, as it was in nobody's way.
  sys::Status give_back_kept(const Loan& loan);

  // The memory that loans are in; it stays mapped as long as somebody has this.
  std::shared_ptr<sys::Mapping> memory() const { return mapping_; }
  // Makes a loan's pages the process's own; the place in the ring has to be given back. Its memory() is then only what
  // is left of it.
  sys::Status make_own(const Loan& loan, sys::Mapping& memory) const;
  // Goes on with another mapping of the same memory: the one before is its holders' alone.
  sys::Status map_anew();

  // Nothing can be put any more; what is there can be taken.
  sys::Status end();

  // The messages in the ring at this moment.
  uint64_t size() const;

  // Looks for a message for up to so long without sleeping; false when none came.
  bool spin_for_items(int64_t nanoseconds) const;

  // One message more has been dealt with; kTooMany when all that were put have been.
  sys::Result<DoneOutcome> count_done();
  // Messages put and not dealt with. With `ask`: unless it is 0, the bell rings when it has become 0.
  sys::Result<uint64_t> unfinished(bool ask);

  // Gives memory back that no message uses, up to so many bytes; worth it when nothing has happened for a while.
  // Whether there was any.
  sys::Result<bool> trim(uint64_t most) { return segments().trim(most); }
  bool has_spare_memory() const { return segments().has_spare_memory(); }

  // The descriptors stay the ring's.
  const RingFiles& files() const { return files_; }

 private:
  Ring(RingFiles files, sys::Mapping mapping)
      : files_(std::move(files)), mapping_(std::make_shared<sys::Mapping>(std::move(mapping))) {}

  static sys::Result<sys::Mapping> map(const sys::UniqueFd& memory, uint64_t size);
  RingHeader* header() const { return reinterpret_cast<RingHeader*>(mapping_->data()); }
  RingSegments segments() const { return RingSegments(mapping_->data(), files_.memory.get()); }
  uint8_t* at(RingPosition position) const;
  bool is_full(uint64_t tail) const;

  struct Message;
  sys::Result<PutOutcome> put(const Message& message, bool ask);
  sys::Result<PutOutcome> try_put(const Message& message);
  sys::Result<Taken> try_take(std::span<uint8_t> buffer);
  // kKept: it may never be given back.
  enum class LoanTerm { kLimited, kKept };
  sys::Result<LoanTaken> take_loan(LoanTerm term, uint64_t least, bool ask);
  sys::Result<LoanTaken> try_take_loan(LoanTerm term, uint64_t least);
  bool is_in_the_way(Run run) const;
  sys::Result<std::optional<Loan>> try_lend(uint64_t size);
  struct Found;
  std::optional<Found> find_oldest(uint64_t count) const;
  // What there is to take, read in this order: after `ended` no message comes any more.
  std::optional<TakeOutcome> nothing_there(uint64_t head) const;
  sys::Result<sys::RobustLock> hold(RingEnd& end);
  sys::Status pass(RingEnd& end, uint64_t count, RingPosition next, std::optional<int> bell);
  static sys::Status wake(RingEnd& end, int bell);
  // Who has found nothing is noted, before it looks once more.
  sys::Status ask_for_items();
  sys::Result<uint32_t> ask_for_space();
  // It has looked once more: what ask_for_space() returned.
  sys::Status sleep_for_space(uint32_t asked);
  sys::Result<std::optional<Run>> take_segments(uint64_t count);
  sys::Result<ProcessIdentity> own_owner();
  void trim_unless_wanted();
  void mark_reachable(const RingSegments::Mark& mark) const;
  sys::Result<bool> post(uint64_t serial, std::span<const int> descriptors);
  sys::Result<std::vector<sys::UniqueFd>> collect(uint64_t serial, bool* lost);

  RingFiles files_;
  std::shared_ptr<sys::Mapping> mapping_;
  ProcessIdentity owner_ = {};  // the process that used it last, when it had forked so often
  uint32_t owner_forks_ = 0;
  bool holds_items_bell_ = false;
};

}  // namespace mp::ipc
