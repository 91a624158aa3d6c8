#include "sys/stream_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace mp::sys {

namespace {

template <typename Address>
Address as(const Endpoint& endpoint) {
  Address address;
  std::memcpy(&address, &endpoint.address, sizeof(address));
  return address;
}

template <typename Address>
Endpoint endpoint_of(const Address& address, size_t length = sizeof(Address)) {
  Endpoint endpoint{};
  std::memcpy(&endpoint.address, &address, sizeof(address));
  endpoint.length = static_cast<socklen_t>(length);
  return endpoint;
}

const sockaddr* raw(const Endpoint& endpoint) { return reinterpret_cast<const sockaddr*>(&endpoint.address); }

Status set_flag(int socket, int level, int option) {
  const int on = 1;
  return check(setsockopt(socket, level, option, &on, sizeof(on)), "setsockopt");
}

bool is_internet(int family) { return family == AF_INET || family == AF_INET6; }

Result<UniqueFd> make_socket(int family) {
  UniqueFd made(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.valid()) return last_error("socket");
  if (is_internet(family)) {
    if (auto set = set_flag(made.get(), IPPROTO_TCP, TCP_NODELAY); !set) return set.error();
  }
  return made;
}

}  // namespace

Result<Endpoint> unix_endpoint(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_abstract = !path.empty() && path[0] == '\0';
  // A path ends with NUL, an abstract name with its length.
  if (path.empty()) return Error{EINVAL, "bind"};
  if (path.size() + (is_abstract ? 0 : 1) > sizeof(address.sun_path)) return Error{ENAMETOOLONG, "bind"};
  std::memcpy(address.sun_path, path.data(), path.size());
  return endpoint_of(address, offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1));
}

Result<Endpoint> internet_endpoint(const std::string& text, uint16_t port) {
  sockaddr_in four{};
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    return endpoint_of(four);
  }
  sockaddr_in6 six{};
  if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    return endpoint_of(six);
  }
  return Error{EINVAL, "inet_pton"};
}

std::string path_of(const Endpoint& endpoint) {
  const auto address = as<sockaddr_un>(endpoint);
  if (endpoint.length <= offsetof(sockaddr_un, sun_path)) return "";
  const size_t length = endpoint.length - offsetof(sockaddr_un, sun_path);
  if (address.sun_path[0] == '\0') return std::string(address.sun_path, length);
  return std::string(address.sun_path, strnlen(address.sun_path, length));
}

std::string address_of(const Endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = "";
  if (endpoint.family() == AF_INET) {
    const auto address = as<sockaddr_in>(endpoint);
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text));
  } else {
    const auto address = as<sockaddr_in6>(endpoint);
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof(text));
  }
  return text;
}

uint16_t port_of(const Endpoint& endpoint) {
  // The port is at the same place in both.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(as<sockaddr_in>(endpoint).sin_port);
}

Result<UniqueFd> listen_at(const Endpoint& endpoint, int backlog) {
  auto made = make_socket(endpoint.family());
  if (!made) return made.error();
  const int fd = made.value().get();
  if (is_internet(endpoint.family())) {
    if (auto set = set_flag(fd, SOL_SOCKET, SO_REUSEADDR); !set) return set.error();
  }
  if (bind(fd, raw(endpoint), endpoint.length) == -1) return last_error("bind");
  if (listen(fd, backlog) == -1) return last_error("listen");
  return std::move(made).value();
}

Result<std::optional<UniqueFd>> accept_connection(int listener) {
  UniqueFd accepted(retry_eintr([&] { return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); }));
  if (!accepted.valid()) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED) return std::optional<UniqueFd>();
    return last_error("accept4");
  }
  const auto family = socket_family(accepted.get());
  if (family.ok() && is_internet(family.value())) {
    if (auto set = set_flag(accepted.get(), IPPROTO_TCP, TCP_NODELAY); !set) return set.error();
  }
  return std::optional(std::move(accepted));
}

Result<Connecting> connect_to(const Endpoint& endpoint) {
  auto made = make_socket(endpoint.family());
  if (!made) return made.error();
  if (connect(made.value().get(), raw(endpoint), endpoint.length) == 0) {
    return Connecting{std::move(made).value(), true};
  }
  // An interrupted connect goes on as one that is under way. connect(2)
  if (errno == EINPROGRESS || errno == EINTR) return Connecting{std::move(made).value(), false};
  if (errno == EAGAIN) return Connecting{UniqueFd(), false};
  return last_error("connect");
}

Result<int> take_socket_error(int socket) {
  int failed = 0;
  socklen_t length = sizeof(failed);
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &failed, &length) == -1) return last_error("getsockopt");
  return failed;
}

Result<Endpoint> local_endpoint(int socket) {
  Endpoint endpoint{};
  endpoint.length = sizeof(endpoint.address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&endpoint.address), &endpoint.length) == -1) {
    return last_error("getsockname");
  }
  return endpoint;
}

Result<int> socket_family(int fd) {
  int family = AF_UNSPEC;
  socklen_t length = sizeof(family);
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0) return family;
  if (errno == ENOTSOCK) return AF_UNSPEC;
  return last_error("getsockopt");
}

Status set_send_buffer(int socket, int bytes) {
  return check(setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), "setsockopt");
}

Status shut_down(int socket, int how) { return check(shutdown(socket, how), "shutdown"); }

}  // namespace mp::sys
