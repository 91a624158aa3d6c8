#include "sys/scm_rights.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "sys/pipe.h"
#include "sys/socket_pair.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

const uint8_t kByte[] = {42};

sys::ReceivedDescriptors receive(const sys::SocketPair& sockets, size_t most) {
  uint8_t buffer[8];
  auto received = test::must(sys::receive_descriptors(sockets.second.get(), most, buffer));
  REQUIRE(received.has_value());
  return std::move(*received);
}

}  // namespace

TEST_CASE("descriptors arrive as copies, close-on-exec") {
  const sys::SocketPair sockets = test::must(sys::make_socket_pair());
  sys::PipeEnds pipe = test::must(sys::make_pipe());
  const int fds[] = {pipe.read_end.get(), pipe.write_end.get()};
  CHECK(test::must(sys::send_descriptors(sockets.first.get(), fds, kByte)) == 1);
  pipe = {};
  const sys::ReceivedDescriptors received = receive(sockets, 8);
  CHECK(received.bytes == 1);
  CHECK_FALSE(received.truncated);
  REQUIRE(received.fds.size() == 2);
  for (const sys::UniqueFd& fd : received.fds) CHECK((fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(write(received.fds[1].get(), "x", 1) == 1);
  char byte = 0;
  CHECK(read(received.fds[0].get(), &byte, 1) == 1);
}

TEST_CASE("more descriptors than wanted are closed, and that is told") {
  const sys::SocketPair sockets = test::must(sys::make_socket_pair());
  const std::vector<int> five(5, sockets.first.get());
  for (size_t most = 0; most <= 6; ++most) {
    test::must(sys::send_descriptors(sockets.first.get(), five, kByte));
    const sys::ReceivedDescriptors received = receive(sockets, most);
    CHECK(received.fds.size() == std::min<size_t>(most, 5));
    CHECK(received.truncated == (most < 5));
  }
}

TEST_CASE("a message takes as many as the kernel allows, not more") {
  const sys::SocketPair sockets = test::must(sys::make_socket_pair());
  std::vector<int> many(sys::kMaxDescriptors, sockets.first.get());
  test::must(sys::send_descriptors(sockets.first.get(), many, kByte));
  CHECK(receive(sockets, sys::kMaxDescriptors).fds.size() == sys::kMaxDescriptors);
  many.push_back(sockets.first.get());
  CHECK(test::failure(sys::send_descriptors(sockets.first.get(), many, kByte)) == "sendmsg: EINVAL");
  uint8_t buffer[1];
  CHECK(test::failure(sys::receive_descriptors(sockets.second.get(), many.size(), buffer)) == "recvmsg: EINVAL");
}

TEST_CASE("the end of the stream is 0 bytes; nothing yet is nothing") {
  sys::SocketPair sockets = test::must(sys::make_socket_pair());
  REQUIRE(sys::set_nonblocking(sockets.second.get(), true).ok());
  uint8_t buffer[1];
  CHECK_FALSE(test::must(sys::receive_descriptors(sockets.second.get(), 1, buffer)).has_value());
  sockets.first.reset();
  CHECK(receive(sockets, 1).bytes == 0);
}
