// What the processes that share a Ring see: a header, two tables of bits, then the segments that messages are in.
// docs/ring.md explains it. The layout is an agreement between processes of one build; a change of it is a new
// kRingVersion.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ipc/process_identity.h"

namespace mp::ipc {

inline constexpr uint32_t kRingMagic = 0x676e696d;  // "ming"
inline constexpr uint32_t kRingVersion = 5;

inline constexpr uint64_t kRingPage = 4096;
inline constexpr size_t kCacheLine = 64;

// Where a record is: the segment's number in the high half, the byte within it in the low half.
using RingPosition = uint64_t;
constexpr RingPosition position_of(uint32_t segment, uint64_t offset) { return uint64_t{segment} << 32 | offset; }
constexpr uint32_t segment_of(RingPosition position) { return static_cast<uint32_t>(position >> 32); }
constexpr uint64_t offset_of(RingPosition position) { return position & UINT32_MAX; }

// Where messages come in, or go out. A process changes an end only with its mutex held, and every change becomes valid
// by one store, that of `count`: a process that is killed has done all of it or nothing.
struct RingEnd {
  alignas(kCacheLine) pthread_mutex_t mutex;
  // Odd: somebody sleeps until something happens here and the bell rings; it is one more then. Guarded by the mutex.
  uint32_t asked;

  // Messages that have passed here since the ring was made.
  alignas(kCacheLine) std::atomic<uint64_t> count;
  // Of the next record: positions[count & 1] is valid, the other one is being written.
  RingPosition positions[2];
};

// Which segments are taken. Guarded by the mutex, except for the table of those that have memory.
struct RingSpace {
  alignas(kCacheLine) pthread_mutex_t mutex;
  uint32_t lowest_free;                 // no segment below this one is free
  std::atomic<uint32_t> used;           // segments
  std::atomic<uint32_t> backed;         // segments that have memory
  std::atomic<uint16_t> loans;          // entries of `loans` that are taken
  std::atomic<uint16_t> needs_rebuild;  // a process died in the middle of something: segments may be taken by nobody
};

// Segments that a process has in its hands: it is writing a message there, or reading one.
struct RingLoan {
  ProcessIdentity owner;  // nobody: a free entry
  uint32_t first;
  uint32_t count;
};

inline constexpr uint32_t kRingLoans = 256;

// How the file is divided.
struct RingShape {
  uint64_t segment_size;  // bytes, a multiple of the page size
  uint64_t segment_count;
  uint64_t segments;  // offset of the first one in the file
};

struct RingHeader {
  uint32_t magic;
  uint32_t version;
  RingShape shape;
  uint64_t max_count;  // messages; 0: as many as fit

  RingEnd tail;  // producers'; `asked`: by consumers, for items
  RingEnd head;  // consumers'; `asked`: by producers, for space
  RingEnd done;  // messages that have been dealt with, of a JoinableQueue; `asked`: by those who join. No positions.
  RingSpace space;

  // Written by end(), with the mutexes of tail and head held.
  alignas(kCacheLine) std::atomic<uint32_t> ended;
  // Of the last message with descriptors. Guarded by tail.mutex.
  uint64_t serial;
  // When a message was last put in segments of its own, CLOCK_MONOTONIC nanoseconds.
  std::atomic<int64_t> last_large;
  RingLoan loan_table[kRingLoans];  // guarded by space.mutex
};

// A record begins at a multiple of 8 and is followed by what `kind` says. There is always room for a kNext after it.
struct RingRecord {
  uint32_t size;
  uint32_t kind;
};

// `size` bytes, and padding up to a multiple of 8.
inline constexpr uint32_t kRecordHere = 1;
// A RingReference.
inline constexpr uint32_t kRecordElsewhere = 2;
// Nothing: the next record is at the start of segment `size`.
inline constexpr uint32_t kRecordNext = 3;
// With one of the first two: before all that, the serial in 8 bytes under which descriptors wait in the ring's mailbox.
inline constexpr uint32_t kWithDescriptors = 0x100;

// A message in segments of its own, one after the other.
struct RingReference {
  uint64_t size;
  uint32_t first;
  uint32_t unused;
};

static_assert(std::is_standard_layout_v<RingHeader>);
static_assert(std::atomic<uint64_t>::is_always_lock_free && sizeof(std::atomic<uint64_t>) == 8);
static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4);
static_assert(sizeof(pthread_mutex_t) <= 48);  // 40 on x64, 48 on arm64: the offsets below are the same
static_assert(std::atomic<uint16_t>::is_always_lock_free && sizeof(std::atomic<uint16_t>) == 2);
static_assert(sizeof(RingEnd) == 128);
static_assert(offsetof(RingEnd, count) == 64);
static_assert(offsetof(RingEnd, positions) == 72);
static_assert(sizeof(RingSpace) == 64);
static_assert(sizeof(RingLoan) == 24);
static_assert(sizeof(RingShape) == 24);
static_assert(offsetof(RingHeader, shape) == 8);
static_assert(offsetof(RingHeader, max_count) == 32);
static_assert(offsetof(RingHeader, tail) == 64);
static_assert(offsetof(RingHeader, head) == 192);
static_assert(offsetof(RingHeader, done) == 320);
static_assert(offsetof(RingHeader, space) == 448);
static_assert(offsetof(RingHeader, ended) == 512);
static_assert(offsetof(RingHeader, serial) == 520);
static_assert(offsetof(RingHeader, last_large) == 528);
static_assert(offsetof(RingHeader, loan_table) == 536);
static_assert(sizeof(RingHeader) == 6720);
static_assert(sizeof(RingRecord) == 8);
static_assert(sizeof(RingReference) == 16);

}  // namespace mp::ipc
