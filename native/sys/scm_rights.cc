#include "sys/scm_rights.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

namespace mp::sys {

namespace {

// Room for the ancillary data of one message, aligned as cmsg(3) wants it.
struct Ancillary {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptors)> room;
};

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

void take_descriptors(msghdr& message, std::vector<UniqueFd>& fds) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
}

}  // namespace

Result<Moved> send_descriptors(int socket, std::span<const int> fds, std::span<const uint8_t> bytes) {
  if (fds.size() > kMaxDescriptors) return Error{EINVAL, "sendmsg"};
  iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Ancillary ancillary;
  if (!fds.empty()) {
    message.msg_control = ancillary.room.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  const auto sent = retry_eintr([&] { return sendmsg(socket, &message, MSG_NOSIGNAL); });
  if (sent >= 0) return Moved(sent);
  if (would_block()) return Moved();
  return last_error("sendmsg");
}

Result<std::optional<ReceivedDescriptors>> receive_descriptors(int socket, size_t max_fds, std::span<uint8_t> buffer) {
  if (max_fds > kMaxDescriptors) return Error{EINVAL, "recvmsg"};
  iovec part{buffer.data(), buffer.size()};
  Ancillary ancillary;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.room.data();
  // CMSG_LEN, not CMSG_SPACE: the kernel fills the padding too, with one descriptor more than was asked for.
  message.msg_controllen = max_fds == 0 ? 0 : CMSG_LEN(sizeof(int) * max_fds);
  const auto received = retry_eintr([&] { return recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (received == -1) {
    if (would_block()) return std::optional<ReceivedDescriptors>();
    return last_error("recvmsg");
  }
  ReceivedDescriptors outcome{static_cast<size_t>(received), {}, (message.msg_flags & MSG_CTRUNC) != 0};
  take_descriptors(message, outcome.fds);
  return std::optional(std::move(outcome));
}

}  // namespace mp::sys
