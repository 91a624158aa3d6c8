// socketpair(2), and send(2) for sockets of any kind.
#pragma once

#include "sys/descriptor.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

struct SocketPair {
  UniqueFd first;
  UniqueFd second;
};

// Two connected AF_UNIX stream sockets, close-on-exec and blocking.
Result<SocketPair> make_socket_pair();

// Two connected AF_UNIX sockets that keep the boundaries of messages (SOCK_SEQPACKET), close-on-exec and non-blocking.
Result<SocketPair> make_packet_pair();

// Copies what comes next and leaves it there; nothing where there is nothing. MSG_PEEK, recv(2)
Result<Moved> peek_some(int socket, std::span<uint8_t> buffer);

// write_some for a socket: EPIPE without the signal, whatever the process does with SIGPIPE.
Result<Moved> send_some(int socket, std::span<const uint8_t> bytes);

// send_some() of two parts, one after the other. sendmsg(2)
Result<Moved> send_two(int socket, std::span<const uint8_t> first, std::span<const uint8_t> second);

}  // namespace mp::sys
