// The segments of a ring's file: which are taken, which have memory, whose hands they are in.
//
// Segments are taken under the tail's mutex and given back under the head's, or by who holds a loan. A process that
// dies in between leaves some that nobody uses: whoever gets a mutex from a dead process says so (needs_rebuild), and
// the next one that takes segments counts anew, from what can be reached.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "ipc/ring_layout.h"
#include "sys/result.h"

namespace mp::ipc {

// A run of segments.
struct Run {
  uint32_t first;
  uint32_t count;
};

// The view that one process has of it; as good as the mapping and the descriptor it was made of.
class RingSegments {
 public:
  RingSegments(std::byte* memory, int file) : memory_(memory), file_(file) {}

  // How the file is laid out for this many bytes of messages.
  static RingShape shape_for(uint64_t capacity);
  static uint64_t file_size(const RingShape& shape) {
    return shape.segments + shape.segment_count * shape.segment_size;
  }

  uint64_t needed(uint64_t bytes) const { return (bytes + shape().segment_size - 1) / shape().segment_size; }
  // No page of this machine belongs to two of them.
  bool are_whole_pages() const;
  // Messages may be kept for good below this segment.
  uint64_t most_kept() const;
  // Whatever two segments of the chain lie between, so much in one piece is free above those once the ring is empty.
  uint64_t longest_run() const { return (shape().segment_count - most_kept() - 2) / 3; }
  uint8_t* start_of(uint32_t segment) const {
    return reinterpret_cast<uint8_t*>(memory_) + shape().segments + segment * shape().segment_size;
  }

  // Takes a run that has memory; nothing when there is none of that length. ENOSPC, ENOMEM: no memory for it. With the
  // tail's mutex held, the head's not. `mark`: tells all that can be reached from the head, with both held.
  using Mark = std::function<void(Run)>;
  sys::Result<std::optional<Run>> take(uint64_t count, const std::function<void(const Mark&)>& reachable);

  // The run is free. Its memory stays where some is soon wanted again, up to kKeepWarm bytes.
  sys::Status give_back(Run run);

  // Gives up to `most` bytes of memory back that no message uses, all but kKeep. Whether there were any.
  sys::Result<bool> trim(uint64_t most);

  // Whether trim() would give back any.
  bool has_spare_memory() const;

  // Writes down who has a run in its hands, until forget_loan(): its number; nothing when the table is full.
  sys::Result<std::optional<uint32_t>> note_loan(Run run, const ProcessIdentity& owner);
  // The run is in the ring now.
  sys::Status forget_loan(uint32_t loan);
  sys::Status give_back_loan(uint32_t loan);

 private:
  RingHeader* header() const { return reinterpret_cast<RingHeader*>(memory_); }
  const RingShape& shape() const { return header()->shape; }
  std::span<uint64_t> taken() const;
  std::span<std::atomic<uint64_t>> backed() const;

  bool is_taken(uint64_t segment) const { return (taken()[segment / 64] >> segment % 64 & 1) != 0; }
  bool is_backed(uint64_t segment) const;
  void set_taken(Run run);
  void clear_taken(Run run);
  std::optional<Run> find(uint64_t count) const;
  bool is_wholly_backed(Run run) const;
  sys::Status back(Run run);
  void drop_memory(Run run);
  void drop_loans_of_the_dead();
  sys::Status rebuild(const std::function<void(const Mark&)>& reachable);

  std::byte* memory_;
  int file_;
};

}  // namespace mp::ipc
