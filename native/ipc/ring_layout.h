// What the processes that share a Ring see: one page of header, then `capacity` bytes of messages. The layout is an
// agreement between processes of one build; a change of it is a new kRingVersion.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace mp::ipc {

inline constexpr uint32_t kRingMagic = 0x676e696d;  // "ming"
inline constexpr uint32_t kRingVersion = 1;
inline constexpr size_t kRingHeaderSize = 4096;

// A message is its length in 8 bytes, the bytes, and padding up to a multiple of this.
inline constexpr uint64_t kRingAlignment = 8;

// Bits of RingState::asked.
inline constexpr uint32_t kAskedForItems = 1;
inline constexpr uint32_t kAskedForSpace = 2;

// All that changes. Positions count bytes since the ring was last rewound; position modulo capacity is the place.
//   low <= head <= tail, tail - head <= capacity, reserved - low <= capacity
struct RingState {
  uint64_t head;      // of the oldest message
  uint64_t tail;      // where the next one goes
  uint64_t low;       // what is below takes no memory
  uint64_t reserved;  // up to here there is memory for certain
  uint64_t count;     // messages
  uint32_t ended;     // 1: nothing is put any more
  uint32_t asked;     // who sleeps until a bell rings
};

struct RingHeader {
  uint32_t magic;
  uint32_t version;
  uint64_t capacity;   // bytes, a multiple of the page size
  uint64_t max_count;  // messages; 0: as many as fit

  // Guards everything below and the messages.
  alignas(64) pthread_mutex_t mutex;

  // The valid one of `states`. A change is written into the other one, with all messages in place, and becomes valid by
  // this single store: a process that is killed has done all of it or nothing.
  alignas(64) std::atomic<uint32_t> current;
  alignas(64) RingState states[2];
};

static_assert(std::is_trivially_copyable_v<RingState>);
static_assert(std::is_standard_layout_v<RingHeader>);
static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4);
static_assert(sizeof(RingState) == 48);
static_assert(offsetof(RingState, asked) == 44);
static_assert(offsetof(RingHeader, capacity) == 8);
static_assert(offsetof(RingHeader, max_count) == 16);
static_assert(offsetof(RingHeader, mutex) == 64);
static_assert(offsetof(RingHeader, current) == 128);
static_assert(offsetof(RingHeader, states) == 192);
static_assert(sizeof(RingHeader) <= kRingHeaderSize);

}  // namespace mp::ipc
