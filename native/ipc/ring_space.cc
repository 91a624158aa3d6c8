#include "ipc/ring_space.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <vector>

#include "sys/file_hole.h"
#include "sys/file_size.h"
#include "sys/mapping.h"
#include "sys/robust_mutex.h"

namespace mp::ipc {

namespace {

// 64 KiB: some thousand small messages; a large one wastes half of that on average.
constexpr uint64_t kSegmentSize = 64 << 10;
// A small file is divided finely.
constexpr uint64_t kFewSegments = 256;

// Free memory that is kept for the next messages: a few of 16 MiB pass through without a page being made anew.
constexpr uint64_t kKeepWarm = 128 << 20;
// And what is kept when nobody puts any.
constexpr uint64_t kKeep = 5 << 18;

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

constexpr uint64_t words_for(uint64_t segments) { return round_up(segments, 64) / 64; }

bool is_free(const RingLoan& entry) { return entry.owner.pid == 0; }
void free_entry(RingLoan& entry) { entry.owner.pid = 0; }

}  // namespace

RingShape RingSegments::shape_for(uint64_t capacity) {
  const uint64_t size = capacity >= kSegmentSize * kFewSegments ? kSegmentSize : kRingPage;
  const uint64_t count = capacity / size;
  return {size, count, round_up(sizeof(RingHeader) + 2 * sizeof(uint64_t) * words_for(count), kRingPage)};
}

bool RingSegments::are_whole_pages() const {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return shape().segments % page == 0 && shape().segment_size % page == 0;
}

uint64_t RingSegments::most_kept() const {
  return shape().segment_count < kFewSegments ? 0 : shape().segment_count / 16;
}

std::span<uint64_t> RingSegments::taken() const {
  return {reinterpret_cast<uint64_t*>(memory_ + sizeof(RingHeader)), words_for(shape().segment_count)};
}

std::span<std::atomic<uint64_t>> RingSegments::backed() const {
  const size_t words = words_for(shape().segment_count);
  return {reinterpret_cast<std::atomic<uint64_t>*>(memory_ + sizeof(RingHeader)) + words, words};
}

bool RingSegments::is_backed(uint64_t segment) const {
  return (backed()[segment / 64].load(std::memory_order_relaxed) >> segment % 64 & 1) != 0;
}

// A process that is killed in here leaves segments taken that nobody uses, never the other way round.
void RingSegments::set_taken(Run run) {
  for (uint64_t at = run.first; at < uint64_t{run.first} + run.count; ++at) taken()[at / 64] |= uint64_t{1} << at % 64;
  header()->space.used += run.count;
  if (header()->space.lowest_free == run.first) header()->space.lowest_free = run.first + run.count;
}

void RingSegments::clear_taken(Run run) {
  header()->space.lowest_free = std::min(header()->space.lowest_free, run.first);
  for (uint64_t at = run.first; at < uint64_t{run.first} + run.count; ++at)
    taken()[at / 64] &= ~(uint64_t{1} << at % 64);
  header()->space.used -= run.count;
}

// The lowest run: memory that was used lately, and the higher parts of the file stay without.
std::optional<Run> RingSegments::find(uint64_t count) const {
  const uint64_t all = shape().segment_count;
  uint64_t length = 0;
  for (uint64_t at = header()->space.lowest_free; at < all;) {
    if (at % 64 == 0 && taken()[at / 64] == UINT64_MAX) {
      length = 0;
      at += 64;
      continue;
    }
    length = is_taken(at) ? 0 : length + 1;
    ++at;
    if (length == count) return Run{static_cast<uint32_t>(at - count), static_cast<uint32_t>(count)};
  }
  return std::nullopt;
}

bool RingSegments::is_wholly_backed(Run run) const {
  for (uint64_t at = run.first; at < uint64_t{run.first} + run.count; ++at) {
    if (!is_backed(at)) return false;
  }
  return true;
}

// Writing to memory that the system can't provide is SIGBUS: ask first.
sys::Status RingSegments::back(Run run) {
  const uint64_t size = shape().segment_size;
  const uint64_t end = uint64_t{run.first} + run.count;
  for (uint64_t at = run.first; at < end;) {
    if (is_backed(at)) {
      ++at;
      continue;
    }
    uint64_t stop = at + 1;
    while (stop < end && !is_backed(stop)) ++stop;
    auto there = sys::reserve_file_space(file_, static_cast<int64_t>(shape().segments + at * size),
                                         static_cast<int64_t>((stop - at) * size));
    if (!there) return there.error();
    sys::populate_for_writing(start_of(static_cast<uint32_t>(at)), (stop - at) * size);
    header()->space.backed += static_cast<uint32_t>(stop - at);
    for (; at < stop; ++at) backed()[at / 64] |= uint64_t{1} << at % 64;
  }
  return sys::done();
}

// First the note, then the memory: what is noted to have memory has it.
void RingSegments::drop_memory(Run run) {
  const uint64_t size = shape().segment_size;
  const uint64_t end = uint64_t{run.first} + run.count;
  for (uint64_t at = run.first; at < end;) {
    if (!is_backed(at)) {
      ++at;
      continue;
    }
    uint64_t stop = at;
    for (; stop < end && is_backed(stop); ++stop) backed()[stop / 64] &= ~(uint64_t{1} << stop % 64);
    header()->space.backed -= static_cast<uint32_t>(stop - at);
    // Memory that can't be given back is only memory.
    static_cast<void>(sys::punch_hole(file_, static_cast<int64_t>(shape().segments + at * size),
                                      static_cast<int64_t>((stop - at) * size)));
    at = stop;
  }
}

sys::Result<std::optional<Run>> RingSegments::take(uint64_t count, const std::function<void(const Mark&)>& reachable) {
  RingSpace& space = header()->space;
  if (count > shape().segment_count) return std::optional<Run>();
  std::optional<Run> run;
  for (bool counted_anew = false;; counted_anew = true) {
    if (space.needs_rebuild.load() != 0) {
      if (auto rebuilt = rebuild(reachable); !rebuilt) return rebuilt.error();
    }
    auto lock = sys::RobustLock::lock(&space.mutex);
    if (!lock) return lock.error();
    if (lock.value().owner_died()) {
      space.needs_rebuild = 1;
      continue;
    }
    run = find(count);
    // Before more memory is asked for: perhaps the dead have some.
    if ((!run || !is_wholly_backed(*run)) && !counted_anew && space.loans.load() != 0) {
      drop_loans_of_the_dead();
      if (space.needs_rebuild.load() != 0) continue;
    }
    if (!run) return run;
    set_taken(*run);
    break;
  }
  if (auto there = back(*run); !there) {
    static_cast<void>(give_back(*run));
    return there.error();
  }
  return run;
}

sys::Status RingSegments::give_back(Run run) {
  RingSpace& space = header()->space;
  const uint64_t free = space.backed.load() - uint64_t{space.used.load()};
  // While they are still taken: nobody else looks at them.
  if ((free + run.count) * shape().segment_size > kKeepWarm) drop_memory(run);
  auto lock = sys::RobustLock::lock(&space.mutex);
  if (!lock) return lock.error();
  if (lock.value().owner_died()) space.needs_rebuild = 1;
  clear_taken(run);
  return sys::done();
}

bool RingSegments::has_spare_memory() const {
  const RingSpace& space = header()->space;
  const uint32_t used = space.used.load(std::memory_order_relaxed);
  const uint32_t backed = space.backed.load(std::memory_order_relaxed);
  return backed > used && (backed - used) * shape().segment_size > kKeep;
}

sys::Result<bool> RingSegments::trim(uint64_t most) {
  auto lock = sys::RobustLock::lock(&header()->space.mutex);
  if (!lock) return lock.error();
  if (lock.value().owner_died()) header()->space.needs_rebuild = 1;
  uint64_t left = kKeep / shape().segment_size;
  const uint64_t wanted = std::max<uint64_t>(1, most / shape().segment_size);
  uint64_t given = 0;
  for (uint64_t at = 0; at < shape().segment_count && given < wanted;) {
    if (at % 64 == 0 && backed()[at / 64].load(std::memory_order_relaxed) == 0) {
      at += 64;
      continue;
    }
    if (is_taken(at) || !is_backed(at)) {
      ++at;
    } else if (left > 0) {
      ++at;
      --left;
    } else {
      uint64_t stop = at;
      while (stop < shape().segment_count && stop - at < wanted - given && !is_taken(stop) && is_backed(stop)) ++stop;
      drop_memory({static_cast<uint32_t>(at), static_cast<uint32_t>(stop - at)});
      given += stop - at;
      at = stop;
    }
  }
  return given > 0;
}

sys::Result<std::optional<uint32_t>> RingSegments::note_loan(Run run, const ProcessIdentity& owner) {
  RingSpace& space = header()->space;
  auto lock = sys::RobustLock::lock(&space.mutex);
  if (!lock) return lock.error();
  if (lock.value().owner_died()) space.needs_rebuild = 1;
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (uint32_t at = 0; at < kRingLoans; ++at) {
      RingLoan& loan = header()->loan_table[at];
      if (!is_free(loan)) continue;
      loan.first = run.first;
      loan.count = run.count;
      loan.owner.start_time = owner.start_time;
      loan.owner.pid_namespace = owner.pid_namespace;
      // From here on it counts, wherever this process is killed.
      std::atomic_ref(loan.owner.pid).store(owner.pid, std::memory_order_release);
      space.loans += 1;
      return std::optional(at);
    }
    drop_loans_of_the_dead();
  }
  return std::optional<uint32_t>();
}

sys::Status RingSegments::forget_loan(uint32_t loan) {
  RingSpace& space = header()->space;
  auto lock = sys::RobustLock::lock(&space.mutex);
  if (!lock) return lock.error();
  if (lock.value().owner_died()) space.needs_rebuild = 1;
  if (is_free(header()->loan_table[loan])) return sys::done();
  free_entry(header()->loan_table[loan]);
  space.loans -= 1;
  return sys::done();
}

sys::Status RingSegments::give_back_loan(uint32_t number) {
  RingSpace& space = header()->space;
  auto lock = sys::RobustLock::lock(&space.mutex);
  if (!lock) return lock.error();
  if (lock.value().owner_died()) space.needs_rebuild = 1;
  RingLoan& loan = header()->loan_table[number];
  if (is_free(loan)) return sys::done();
  const Run run{loan.first, loan.count};
  const uint64_t free = space.backed.load() - uint64_t{space.used.load()};
  if ((free + run.count) * shape().segment_size > kKeepWarm) drop_memory(run);
  free_entry(loan);
  space.loans -= 1;
  clear_taken(run);
  return sys::done();
}

// With the mutex held. Their segments are given back by the rebuild.
void RingSegments::drop_loans_of_the_dead() {
  // Those of one process follow one another for the most part, and to ask takes a file of /proc.
  ProcessIdentity asked{};
  bool ended = false;
  for (RingLoan& loan : header()->loan_table) {
    if (is_free(loan)) continue;
    if (loan.owner.pid != asked.pid || loan.owner.start_time != asked.start_time) ended = has_ended(loan.owner);
    asked = loan.owner;
    if (!ended) continue;
    free_entry(loan);
    header()->space.loans -= 1;
    header()->space.needs_rebuild = 1;
  }
}

// What is taken is what can be reached from the head, and what the living have in their hands. Every segment in use is
// in the old table and in the new one, so at every moment of the change the table is good.
sys::Status RingSegments::rebuild(const std::function<void(const Mark&)>& reachable) {
  RingSpace& space = header()->space;
  auto head = sys::RobustLock::lock(&header()->head.mutex);
  if (!head) return head.error();
  auto lock = sys::RobustLock::lock(&space.mutex);
  if (!lock) return lock.error();
  std::vector<uint64_t> found(taken().size());
  uint32_t used = 0;
  const Mark mark = [&](Run run) {
    for (uint64_t at = run.first; at < uint64_t{run.first} + run.count && at < shape().segment_count; ++at) {
      if ((found[at / 64] >> at % 64 & 1) == 0) ++used;
      found[at / 64] |= uint64_t{1} << at % 64;
    }
  };
  drop_loans_of_the_dead();
  uint32_t loans = 0;
  for (const RingLoan& loan : header()->loan_table) {
    if (is_free(loan)) continue;
    ++loans;
    mark({loan.first, loan.count});
  }
  reachable(mark);
  uint32_t with_memory = 0;
  for (const auto& word : backed()) with_memory += static_cast<uint32_t>(std::popcount(word.load()));
  space.lowest_free = 0;
  std::copy(found.begin(), found.end(), taken().begin());
  space.used = used;
  space.backed = with_memory;
  space.loans = loans;
  space.needs_rebuild = 0;
  return sys::done();
}

}  // namespace mp::ipc
