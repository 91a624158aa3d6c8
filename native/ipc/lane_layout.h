// What the processes that share a Pipe see: a header for each direction, then the bytes of both. docs/lane.md explains
// it. The layout is an agreement between processes of one build; a change of it is a new kLaneVersion.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace mp::ipc {

inline constexpr uint32_t kLaneMagic = 0x656e616c;  // "lane"
inline constexpr uint32_t kLaneVersion = 1;

inline constexpr uint64_t kLanePage = 4096;
inline constexpr uint64_t kLaneLine = 64;
// Bytes of one direction: address space, memory is taken for what was used at a time.
inline constexpr uint64_t kLaneCapacity = 4 << 20;

// Whether the sender may use the memory: when a receiver has said that it looks there, until somebody wants every
// message on the socket.
inline constexpr uint32_t kLaneOpen = 1;
inline constexpr uint32_t kLanePlain = 2;

// `head` and `tail` count bytes since the beginning; the place of a byte is its number modulo the capacity.
struct LaneHeader {
  uint32_t magic;
  uint32_t version;
  std::atomic<uint32_t> state;     // kLaneOpen | kLanePlain
  std::atomic<uint32_t> leavings;  // how often a receiving end was closed by somebody

  alignas(kLaneLine) pthread_mutex_t tail_mutex;
  uint32_t backed;       // bytes from the start that have memory. Guarded by tail_mutex, as the next two.
  uint32_t open_frames;  // senders that have a part of a message on the socket
  uint32_t announced;    // what `sent` was when the last token was sent

  // Stored with tail_mutex held, all three.
  alignas(kLaneLine) std::atomic<uint64_t> tail;
  std::atomic<uint32_t> sent;   // messages that went through the socket
  std::atomic<uint32_t> asked;  // 1: the next message has to wake somebody

  alignas(kLaneLine) pthread_mutex_t head_mutex;
  uint64_t room_at;  // not 0: a sender is to be woken when `head` gets there. Guarded by head_mutex.

  alignas(kLaneLine) std::atomic<uint64_t> head;  // stored with head_mutex held
  std::atomic<uint32_t> taken;                    // of `sent`, those of which something has come. As `sent`
  std::atomic<uint32_t> in_part;                  // 1: somebody has read a part of the last of them
};

// A record begins at a multiple of 8; its bytes follow, and padding up to a multiple of 8.
struct LaneRecord {
  uint32_t size;
  uint32_t after;  // comes after so many messages on the socket
};

// What a message takes of the lane.
constexpr uint64_t footprint(uint64_t size) { return sizeof(LaneRecord) + (size + 7) / 8 * 8; }
// The place 0 that comes next.
constexpr uint64_t start_after(uint64_t position) { return (position / kLaneCapacity + 1) * kLaneCapacity; }

// Instead of a size: nothing, the next record is at place 0.
inline constexpr uint32_t kLaneSkip = UINT32_MAX;

// So many bytes on the socket are a message's; this one says "look again". It is no first byte of a message's header.
inline constexpr uint8_t kLaneToken = 0x80;

static_assert(std::is_standard_layout_v<LaneHeader>);
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);
static_assert(sizeof(pthread_mutex_t) <= 48);  // 40 on x64, 48 on arm64: the offsets below are the same
static_assert(offsetof(LaneHeader, tail_mutex) == 64);
static_assert(offsetof(LaneHeader, announced) <= 64 + 60);
static_assert(offsetof(LaneHeader, tail) == 128);
static_assert(offsetof(LaneHeader, sent) == 136);
static_assert(offsetof(LaneHeader, asked) == 140);
static_assert(offsetof(LaneHeader, head_mutex) == 192);
static_assert(offsetof(LaneHeader, room_at) <= 192 + 48);
static_assert(offsetof(LaneHeader, head) == 256);
static_assert(offsetof(LaneHeader, taken) == 264);
static_assert(offsetof(LaneHeader, in_part) == 268);
static_assert(sizeof(LaneHeader) == 320 && sizeof(LaneHeader) <= kLanePage);
static_assert(sizeof(LaneRecord) == 8);

}  // namespace mp::ipc
