// A new program in a new process, whatever the size of this one: posix_spawn(3), which shares the memory until exec.
#pragma once

#include <sys/types.h>

#include <span>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// Descriptor `from` of this process is `to` in the new one.
struct PassedFd {
  int from;
  int to;
};

struct SpawnRequest {
  const char* file;  // a path; it is not searched for
  char* const* arguments;
  char* const* environment;
  const char* directory;  // nullptr: this process's
  // All others that are close-on-exec stay here. Moved one after the other: no `to` may be a later one's `from`.
  std::span<const PassedFd> descriptors;
};

struct Spawned {
  pid_t pid;
  UniqueFd pidfd;
};

// The new process starts with every signal at its default and none blocked. Its failure to exec is the caller's error:
// ENOENT, EACCES, E2BIG and so on.
Result<Spawned> spawn(const SpawnRequest& request);

}  // namespace mp::sys
