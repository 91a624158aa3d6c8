#include "ipc/frame.h"

#include <iterator>

#include "sys/scm_rights.h"

namespace mp::ipc {

std::array<uint8_t, kFrameHeader> frame_header(uint32_t length) {
  return {static_cast<uint8_t>(length >> 24), static_cast<uint8_t>(length >> 16), static_cast<uint8_t>(length >> 8),
          static_cast<uint8_t>(length)};
}

int32_t frame_length(std::span<const uint8_t> header) {
  return static_cast<int32_t>(uint32_t{header[0]} << 24 | uint32_t{header[1]} << 16 | uint32_t{header[2]} << 8 |
                              header[3]);
}

sys::Result<sys::Moved> read_stream(int fd, std::span<uint8_t> buffer, std::vector<sys::UniqueFd>* fds) {
  if (fds == nullptr) return sys::read_some(fd, buffer);
  auto received = sys::receive_descriptors(fd, sys::kMaxDescriptors, buffer);
  if (!received) return received.error();
  if (!received.value()) return sys::Moved();
  std::move(received.value()->fds.begin(), received.value()->fds.end(), std::back_inserter(*fds));
  return sys::Moved(received.value()->bytes);
}

size_t read_rest_of_frame(int fd, std::span<uint8_t> buffer) {
  const int32_t length = frame_length(buffer);
  if (length <= 0 || static_cast<size_t>(length) > buffer.size() - kFrameHeader) return kFrameHeader;
  const auto body = sys::read_some(fd, buffer.subspan(kFrameHeader, static_cast<size_t>(length)));
  return kFrameHeader + (body.ok() && body.value() ? *body.value() : 0);
}

}  // namespace mp::ipc
