#include "sys/socket_pair.h"

#include <doctest/doctest.h>

#include <vector>

#include "sys/descriptor.h"
#include "sys/pipe.h"
#include "test/support/outcome.h"

using namespace mp;
using Bytes = std::vector<uint8_t>;

namespace {

Bytes read_all(int fd) {
  Bytes buffer(64);
  buffer.resize(*test::must(sys::read_some(fd, buffer)));
  return buffer;
}

}  // namespace

TEST_CASE("two parts arrive as one, through a socket and through a pipe") {
  const Bytes first{1, 2}, second{3};
  const sys::SocketPair sockets = test::must(sys::make_socket_pair());
  CHECK(test::must(sys::send_two(sockets.first.get(), first, second)) == 3);
  CHECK(read_all(sockets.second.get()) == Bytes{1, 2, 3});
  const sys::PipeEnds pipe = test::must(sys::make_pipe());
  CHECK(test::must(sys::write_two(pipe.write_end.get(), first, second)) == 3);
  CHECK(read_all(pipe.read_end.get()) == Bytes{1, 2, 3});
}

TEST_CASE("nobody there is EPIPE, without the signal") {
  sys::SocketPair sockets = test::must(sys::make_socket_pair());
  sockets.second.reset();
  const Bytes part{1};
  CHECK(test::failure(sys::send_two(sockets.first.get(), part, part)) == "sendmsg: EPIPE");
}

TEST_CASE("packets keep their boundaries, and a look leaves them there") {
  const sys::SocketPair sockets = test::must(sys::make_packet_pair());
  uint8_t start[1];
  CHECK_FALSE(test::must(sys::peek_some(sockets.second.get(), start)).has_value());
  const Bytes first{1, 2}, second{3};
  CHECK(test::must(sys::send_some(sockets.first.get(), first)) == 2);
  CHECK(test::must(sys::send_some(sockets.first.get(), second)) == 1);
  CHECK(test::must(sys::peek_some(sockets.second.get(), start)) == 1);
  CHECK(start[0] == 1);
  CHECK(read_all(sockets.second.get()) == first);
  CHECK(read_all(sockets.second.get()) == second);
}
