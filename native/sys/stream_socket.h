// Stream sockets by address: socket(2), bind(2), listen(2), accept4(2), connect(2). unix(7), ip(7), ipv6(7)
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

// Where a socket is bound, or is to be.
struct Endpoint {
  sockaddr_storage address;
  socklen_t length;

  int family() const { return address.ss_family; }
};

// A path of the file system, or an abstract name: one that begins with NUL. ENAMETOOLONG: longer than unix(7) has room
// for.
Result<Endpoint> unix_endpoint(const std::string& path);

// An IPv4 or IPv6 address in figures ("127.0.0.1", "fe80::1"); EINVAL when it is neither.
Result<Endpoint> internet_endpoint(const std::string& address, uint16_t port);

// What unix_endpoint() was given; only for AF_UNIX.
std::string path_of(const Endpoint& endpoint);
// In figures; only for AF_INET and AF_INET6.
std::string address_of(const Endpoint& endpoint);
uint16_t port_of(const Endpoint& endpoint);

// Every socket is non-blocking and close-on-exec; on TCP small messages leave at once (TCP_NODELAY).

// A socket that listens there. On TCP the port may still have connections of an earlier listener (SO_REUSEADDR).
Result<UniqueFd> listen_at(const Endpoint& endpoint, int backlog);

// The next connection; nothing when none waits, or when the one that did has gone.
Result<std::optional<UniqueFd>> accept_connection(int listener);

struct Connecting {
  UniqueFd socket;   // invalid: the listener's backlog is full, try again later
  bool established;  // false: under way, take_socket_error() tells the outcome once it is writable
};
Result<Connecting> connect_to(const Endpoint& endpoint);

// SO_ERROR: what has failed since it was last asked, 0 for nothing.
Result<int> take_socket_error(int socket);

// getsockname(2)
Result<Endpoint> local_endpoint(int socket);

// AF_UNIX, AF_INET, …; AF_UNSPEC for a descriptor that is no socket.
Result<int> socket_family(int fd);

// How many bytes may be under way before a sender waits; no more than net.core.wmem_max allows. SO_SNDBUF, socket(7)
Status set_send_buffer(int socket, int bytes);

// shutdown(2): SHUT_RD, SHUT_WR
Status shut_down(int socket, int how);

}  // namespace mp::sys
