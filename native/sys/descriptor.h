// What every descriptor can do: read(2), write(2), close(2), dup(2), fcntl(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// The number of bytes moved; nothing where the call would have to wait (EAGAIN on a non-blocking descriptor).
using Moved = std::optional<size_t>;

// 0 bytes is the end of the file. Restarts on EINTR, so a blocking descriptor waits for as long as it takes.
Result<Moved> read_some(int fd, std::span<uint8_t> buffer);

// May move fewer bytes than asked for.
Result<Moved> write_some(int fd, std::span<const uint8_t> bytes);

// write_some() of two parts, one after the other. writev(2)
Result<Moved> write_two(int fd, std::span<const uint8_t> first, std::span<const uint8_t> second);

// The number is free afterwards, whatever the outcome.
Status close_descriptor(int fd);

// A second number for the same open file, close-on-exec: the lowest free one from `at_least` on.
Result<UniqueFd> duplicate(int fd, int at_least = 0);

// Makes `target` another number for the open file of `fd`, closing what it was. dup2's rule when both are the same
// number: nothing happens, if it is open. The caller owns `target`.
Status duplicate_onto(int fd, int target, bool close_on_exec);

// O_NONBLOCK belongs to the open file: every process that shares it sees the change.
Status set_nonblocking(int fd, bool nonblocking);

Result<bool> is_socket(int fd);

}  // namespace mp::sys
