#include "sys/descriptor.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <string>

#include "sys/pipe.h"
#include "sys/socket_pair.h"
#include "test/support/child.h"
#include "test/support/interruptions.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string read_text(int fd, size_t most = 100) {
  std::string text(most, '\0');
  const auto count = test::must(sys::read_some(fd, {reinterpret_cast<uint8_t*>(text.data()), most}));
  REQUIRE(count.has_value());
  text.resize(*count);
  return text;
}

bool is_close_on_exec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

}  // namespace

TEST_CASE("a pipe carries bytes, ends at the close, and both its ends are close-on-exec") {
  sys::PipeEnds pipe = test::must(sys::make_pipe());
  CHECK(is_close_on_exec(pipe.read_end.get()));
  CHECK(is_close_on_exec(pipe.write_end.get()));
  CHECK(test::must(sys::write_some(pipe.write_end.get(), bytes_of("hello"))) == 5);
  CHECK(read_text(pipe.read_end.get(), 3) == "hel");
  pipe.write_end.reset();
  CHECK(read_text(pipe.read_end.get()) == "lo");
  CHECK(read_text(pipe.read_end.get()) == "");
}

TEST_CASE("a non-blocking descriptor has nothing instead of waiting") {
  const sys::PipeEnds pipe = test::must(sys::make_pipe());
  REQUIRE(sys::set_nonblocking(pipe.read_end.get(), true).ok());
  REQUIRE(sys::set_nonblocking(pipe.write_end.get(), true).ok());
  uint8_t buffer[4096] = {};
  CHECK(test::must(sys::read_some(pipe.read_end.get(), buffer)) == std::nullopt);
  while (test::must(sys::write_some(pipe.write_end.get(), buffer))) {
  }
  CHECK(test::must(sys::write_some(pipe.write_end.get(), buffer)) == std::nullopt);
}

TEST_CASE("a read goes on after signals") {
  const sys::PipeEnds pipe = test::must(sys::make_pipe());
  const test::Interruptions interruptions;
  test::Child writer([&] {
    test::Interruptions::outlast();
    return write(pipe.write_end.get(), "x", 1) == 1 ? 0 : 1;
  });
  CHECK(read_text(pipe.read_end.get()) == "x");
  CHECK(writer.join() == 0);
}

TEST_CASE("duplicates are the same open file") {
  const sys::PipeEnds pipe = test::must(sys::make_pipe());
  sys::UniqueFd copy = test::must(sys::duplicate(pipe.write_end.get()));
  CHECK(copy.get() != pipe.write_end.get());
  CHECK(is_close_on_exec(copy.get()));
  test::must(sys::write_some(copy.get(), bytes_of("copy")));
  CHECK(read_text(pipe.read_end.get()) == "copy");

  const sys::UniqueFd target(open("/dev/null", O_RDONLY));
  for (const bool close_on_exec : {true, false}) {
    REQUIRE(sys::duplicate_onto(pipe.write_end.get(), target.get(), close_on_exec).ok());
    CHECK(is_close_on_exec(target.get()) == close_on_exec);
  }
  CHECK(sys::duplicate_onto(target.get(), target.get(), true).ok());
  CHECK_FALSE(is_close_on_exec(target.get()));  // the same number: nothing happens
}

TEST_CASE("a closed number gives EBADF") {
  sys::UniqueFd copy = test::must(sys::duplicate(0));
  const int fd = copy.release();
  CHECK(sys::close_descriptor(fd).ok());
  CHECK(test::failure(sys::close_descriptor(fd)) == "close: EBADF");
  CHECK(test::failure(sys::duplicate(fd)) == "fcntl: EBADF");
  CHECK(test::failure(sys::duplicate_onto(fd, fd, true)) == "fcntl: EBADF");
  CHECK(test::failure(sys::set_nonblocking(fd, true)) == "fcntl: EBADF");
  CHECK(test::failure(sys::is_socket(fd)) == "fstat: EBADF");
  CHECK(test::failure(sys::read_some(fd, {})) == "read: EBADF");
}

TEST_CASE("sockets are told from pipes, and send without a reader gives EPIPE and no signal") {
  const sys::PipeEnds pipe = test::must(sys::make_pipe());
  CHECK_FALSE(test::must(sys::is_socket(pipe.read_end.get())));
  CHECK(test::failure(sys::send_some(pipe.write_end.get(), bytes_of("x"))) == "send: ENOTSOCK");
  sys::SocketPair sockets = test::must(sys::make_socket_pair());
  CHECK(test::must(sys::is_socket(sockets.first.get())));
  CHECK(is_close_on_exec(sockets.first.get()));
  CHECK(is_close_on_exec(sockets.second.get()));
  CHECK(test::must(sys::send_some(sockets.first.get(), bytes_of("there"))) == 5);
  CHECK(read_text(sockets.second.get()) == "there");
  sockets.second.reset();
  CHECK(test::failure(sys::send_some(sockets.first.get(), bytes_of("x"))) == "send: EPIPE");
}
