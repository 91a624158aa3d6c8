#include "sys/stream_socket.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "sys/pipe.h"
#include "sys/poll_wait.h"
#include "sys/socket_pair.h"
#include "test/support/outcome.h"

using namespace mp;
using test::must;

namespace {

std::string abstract_name() { return std::string("\0mp-test-", 9) + std::to_string(getpid()); }

void expect_conversation(const sys::Endpoint& where) {
  const sys::UniqueFd listener = must(sys::listen_at(where, 4));
  const sys::Endpoint bound = must(sys::local_endpoint(listener.get()));
  CHECK_FALSE(must(sys::accept_connection(listener.get())).has_value());
  const sys::Connecting connecting = must(sys::connect_to(bound));
  REQUIRE(connecting.socket.valid());
  pollfd entries[] = {{listener.get(), POLLIN, 0}, {connecting.socket.get(), POLLOUT, 0}};
  for (pollfd& entry : entries) CHECK(must(sys::poll_until({&entry, 1}, sys::kForever)) == 1);
  CHECK(must(sys::take_socket_error(connecting.socket.get())) == 0);
  const auto accepted = must(sys::accept_connection(listener.get()));
  REQUIRE(accepted.has_value());
  for (const int fd : {listener.get(), connecting.socket.get(), accepted->get()}) {
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK(must(sys::socket_family(fd)) == where.family());
  }
  CHECK(write(connecting.socket.get(), "x", 1) == 1);
  pollfd entry{accepted->get(), POLLIN, 0};
  CHECK(must(sys::poll_until({&entry, 1}, sys::kForever)) == 1);
  CHECK(must(sys::shut_down(accepted->get(), SHUT_RD)) == sys::Unit{});
}

}  // namespace

TEST_CASE("a listener and a connection to it, by name and by address") {
  expect_conversation(must(sys::unix_endpoint(abstract_name())));
  expect_conversation(must(sys::internet_endpoint("127.0.0.1", 0)));
}

TEST_CASE("endpoints read as they were written") {
  const std::string longest(107, 'x');
  for (const std::string& path : {std::string("/tmp/socket"), abstract_name(), std::string("\0a\0b", 4), longest}) {
    CHECK(sys::path_of(must(sys::unix_endpoint(path))) == path);
  }
  for (const char* address : {"127.0.0.1", "::1", "fe80::1"}) {
    const sys::Endpoint endpoint = must(sys::internet_endpoint(address, 65'000));
    CHECK(sys::address_of(endpoint) == address);
    CHECK(sys::port_of(endpoint) == 65'000);
  }
}

TEST_CASE("what is no endpoint is refused") {
  CHECK(test::failure(sys::unix_endpoint(std::string(108, 'x'))) == "bind: ENAMETOOLONG");
  CHECK(sys::unix_endpoint('\0' + std::string(107, 'x')).ok());
  CHECK(test::failure(sys::unix_endpoint('\0' + std::string(108, 'x'))) == "bind: ENAMETOOLONG");
  CHECK(test::failure(sys::unix_endpoint("")) == "bind: EINVAL");
  CHECK(test::failure(sys::internet_endpoint("localhost", 1)) == "inet_pton: EINVAL");
}

TEST_CASE("an address in use and one where nobody listens") {
  const sys::Endpoint where = must(sys::unix_endpoint(abstract_name()));
  {
    const sys::UniqueFd listener = must(sys::listen_at(where, 1));
    CHECK(test::failure(sys::listen_at(where, 1)) == "bind: EADDRINUSE");
  }
  CHECK(test::failure(sys::connect_to(where)) == "connect: ECONNREFUSED");
}

TEST_CASE("a full backlog is no error") {
  const sys::Endpoint where = must(sys::unix_endpoint(abstract_name()));
  const sys::UniqueFd listener = must(sys::listen_at(where, 0));
  std::vector<sys::UniqueFd> connections;
  for (;;) {
    auto connecting = must(sys::connect_to(where));
    if (!connecting.socket.valid()) break;
    connections.push_back(std::move(connecting.socket));
    REQUIRE(connections.size() < 100);
  }
  CHECK_FALSE(connections.empty());
}

TEST_CASE("a descriptor that is no socket has no family") {
  const sys::PipeEnds pipe = must(sys::make_pipe());
  CHECK(must(sys::socket_family(pipe.read_end.get())) == AF_UNSPEC);
  CHECK(test::failure(sys::socket_family(-1)) == "getsockopt: EBADF");
}

TEST_CASE("a larger send buffer takes more before a sender has to wait") {
  const std::vector<uint8_t> bytes(256 << 10);
  const auto taken = [&](int buffer) {
    const sys::SocketPair pair = must(sys::make_socket_pair());
    REQUIRE(sys::set_nonblocking(pair.first.get(), true).ok());
    REQUIRE(sys::set_send_buffer(pair.first.get(), buffer).ok());
    return must(sys::send_some(pair.first.get(), bytes)).value_or(0);
  };
  CHECK(taken(1 << 10) < taken(1 << 20));
  CHECK(test::failure(sys::set_send_buffer(-1, 1 << 20)) == "setsockopt: EBADF");
}
