// Descriptors through AF_UNIX sockets: SCM_RIGHTS of unix(7), sendmsg(2), recvmsg(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sys/descriptor.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// SCM_MAX_FD: more in one message are refused with EINVAL. unix(7)
inline constexpr size_t kMaxDescriptors = 253;

// Sends copies of `fds` with the first of `bytes`; on a stream socket there must be at least one byte. When fewer bytes
// than asked for were sent, the descriptors went with them.
Result<Moved> send_descriptors(int socket, std::span<const int> fds, std::span<const uint8_t> bytes);

struct ReceivedDescriptors {
  size_t bytes;               // 0: the peer has closed
  std::vector<UniqueFd> fds;  // close-on-exec
  bool truncated;             // more had been sent than there was room for; the kernel closed the rest
};

// Nothing where the call would have to wait.
Result<std::optional<ReceivedDescriptors>> receive_descriptors(int socket, size_t max_fds, std::span<uint8_t> buffer);

}  // namespace mp::sys
