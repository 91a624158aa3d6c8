// A queue of byte messages in shared memory, for any number of producing and consuming processes.
//
//   put ──► [ length | bytes ] [ length | bytes ] … ──► take        one robust mutex guards it
//           head                                  tail
//   waiting consumers poll the bell of items, waiting producers that of space
//
// Death: whoever is killed, wherever, leaves a ring that the next user can go on with. A message is in the ring or not
// at all (see RingHeader::current); at most the one that was just being put or just taken is missing. A process that is
// stopped (SIGSTOP) in the middle of an operation does hold up the others until it goes on.
//
// Bells: eventfds, readable means "look again". Whoever finds nothing and means to sleep sets its bit in `asked`, then
// silences the bell; whoever then provides rings first, then commits and clears the bit. So at every instant, at every
// death, for each sleeper either the bit is set or the bell is ringing. All under the mutex; ended means ringing for ever.
//
// Memory: a large sparse file. What has been consumed is given back, and an empty ring starts again at its beginning.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "ipc/ring_layout.h"
#include "sys/mapping.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

enum class PutOutcome { kDone, kFull, kEnded };
enum class TakeOutcome { kMessage, kEmpty, kEnded };

struct Free {
  void operator()(uint8_t* bytes) const { std::free(bytes); }
};

struct Taken {
  TakeOutcome outcome;
  size_t size = 0;
  // Where the message is when it did not fit the caller's buffer.
  std::unique_ptr<uint8_t[], Free> own = nullptr;
};

class RingTransaction;

// A forked child goes on with the copy of the object that it inherits: memory and bells are the same.
class Ring {
 public:
  using Bytes = std::span<const uint8_t>;

  // `capacity` in bytes, a multiple of the page size: address space, not memory. `max_count` 0: as many as fit.
  static sys::Result<Ring> create(uint64_t capacity, uint64_t max_count);

  // Appends one message made of the parts. kFull, with `ask`: the bell of space rings when it is worth another try.
  // EMSGSIZE: it would not fit an empty ring either. ENOSPC, ENOMEM: the system has no memory for it.
  sys::Result<PutOutcome> put(std::span<const Bytes> parts, bool ask);

  // Takes the oldest message into `buffer`, or into memory of its own where that is too small. kEmpty, with `ask`: the
  // bell of items rings when it is worth another try. kEnded: it is empty and nothing will come.
  sys::Result<Taken> take(std::span<uint8_t> buffer, bool ask);

  // Nothing can be put any more; what is there can be taken.
  sys::Status end();

  // The messages in the ring at this moment.
  sys::Result<uint64_t> size() const;

  // The descriptors that are the ring; they stay the ring's.
  int memory_file() const { return file_.get(); }
  int items_bell() const { return items_bell_.get(); }
  int space_bell() const { return space_bell_.get(); }

 private:
  Ring(sys::UniqueFd file, sys::Mapping mapping, sys::UniqueFd items_bell, sys::UniqueFd space_bell)
      : file_(std::move(file)),
        mapping_(std::move(mapping)),
        items_bell_(std::move(items_bell)),
        space_bell_(std::move(space_bell)) {}

  RingHeader* header() const { return reinterpret_cast<RingHeader*>(mapping_.data()); }
  uint8_t* messages() const { return reinterpret_cast<uint8_t*>(mapping_.data()) + kRingHeaderSize; }

  void write(uint64_t position, Bytes bytes);
  void read(uint64_t position, std::span<uint8_t> bytes) const;
  void prepare_to_sleep(RingTransaction& change, uint32_t asked, int bell);
  sys::Status wake(RingTransaction& change, uint32_t asked, int bell);
  sys::Status reserve(RingTransaction& change, uint64_t end);
  void give_back(uint64_t from, uint64_t to);
  void tidy(RingTransaction& change);

  sys::UniqueFd file_;
  sys::Mapping mapping_;
  sys::UniqueFd items_bell_;
  sys::UniqueFd space_bell_;
};

}  // namespace mp::ipc
