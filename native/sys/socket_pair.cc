#include "sys/socket_pair.h"

#include <sys/socket.h>

namespace mp::sys {

Result<SocketPair> make_socket_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1) return last_error("socketpair");
  return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<SocketPair> make_packet_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == -1) return last_error("socketpair");
  return SocketPair{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Result<Moved> peek_some(int socket, std::span<uint8_t> buffer) {
  const auto got = retry_eintr([&] { return ::recv(socket, buffer.data(), buffer.size(), MSG_PEEK); });
  if (got >= 0) return Moved(got);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Moved();
  return last_error("recv");
}

Result<Moved> send_some(int socket, std::span<const uint8_t> bytes) {
  const auto sent = retry_eintr([&] { return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (sent >= 0) return Moved(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Moved();
  return last_error("send");
}

Result<Moved> send_two(int socket, std::span<const uint8_t> first, std::span<const uint8_t> second) {
  iovec parts[] = {{const_cast<uint8_t*>(first.data()), first.size()},
                   {const_cast<uint8_t*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  const auto sent = retry_eintr([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); });
  if (sent >= 0) return Moved(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Moved();
  return last_error("sendmsg");
}

}  // namespace mp::sys
