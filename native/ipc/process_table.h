// The processes that use a region of shared memory, so that 32 bits in its words can name one of them for good.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "ipc/double_word.h"
#include "sys/result.h"

namespace mp::ipc {

// The index of an entry of the table (12 bits) below the entry's generation (18 bits, never 0). The top two bits are
// free for whoever keeps tokens in words.
using UserToken = uint32_t;
inline constexpr UserToken kNoUser = 0;
inline constexpr uint32_t kMostProcesses = 4095;

// Changes as a whole. low: the start time of the process, in clock ticks since boot; high: its pid, and in the upper
// half the generation, which counts the processes that have had the entry.
using ProcessEntry = DoubleWord;

struct ProcessTable {
  uint64_t pid_namespace;  // in which the pids mean something; kMixedNamespaces when it is used from several
  uint32_t used;           // entries below may be taken
  uint32_t probe;          // where the next search for the dead begins
  std::byte unused[176];
  ProcessEntry entries[kMostProcesses + 1];

  // The caller's token, which is the same whenever this process asks: an entry of its own, or of a process that has
  // ended. ENOSPC: kMostProcesses processes live that use the region.
  sys::Result<UserToken> enter();

  // 0: the entry is another process's by now.
  pid_t pid_of(UserToken token) const;

  // Whether the process has ended for certain: reaped, a zombie, or its pid is another process's by now. When it can't
  // be known the answer is no.
  bool is_dead(UserToken token) const;
};

inline constexpr uint64_t kMixedNamespaces = UINT64_MAX;

inline uint32_t index_of(UserToken token) { return token & 0xfff; }

static_assert(offsetof(ProcessTable, entries) == 192 && sizeof(ProcessTable) == 192 + 16 * 4096);

}  // namespace mp::ipc
