// Messages on a stream of bytes, CPython's format: the length in four bytes, big-endian, then the message. What
// ts/connection/framing.ts does in general, for small ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sys/descriptor.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

inline constexpr size_t kFrameHeader = 4;

std::array<uint8_t, kFrameHeader> frame_header(uint32_t length);
// Negative: the message has a long header.
int32_t frame_length(std::span<const uint8_t> header);

// read(2); recvmsg(2) where descriptors may come along, which are appended to `fds` unless it is null.
sys::Result<sys::Moved> read_stream(int fd, std::span<uint8_t> buffer, std::vector<sys::UniqueFd>* fds);

// After a header has been read into the start of `buffer`: as many bytes of the message as are there, if it fits; how
// many with the header. What goes wrong is for the next read to tell: the header has been taken.
size_t read_rest_of_frame(int fd, std::span<uint8_t> buffer);

}  // namespace mp::ipc
