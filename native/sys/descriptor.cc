#include "sys/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace mp::sys {

namespace {

Result<Moved> moved_or_blocked(ssize_t outcome, const char* syscall) {
  if (outcome >= 0) return Moved(outcome);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Moved();
  return last_error(syscall);
}

}  // namespace

Result<Moved> read_some(int fd, std::span<uint8_t> buffer) {
  return moved_or_blocked(retry_eintr([&] { return ::read(fd, buffer.data(), buffer.size()); }), "read");
}

Result<Moved> write_some(int fd, std::span<const uint8_t> bytes) {
  return moved_or_blocked(retry_eintr([&] { return ::write(fd, bytes.data(), bytes.size()); }), "write");
}

Result<Moved> write_two(int fd, std::span<const uint8_t> first, std::span<const uint8_t> second) {
  const iovec parts[] = {{const_cast<uint8_t*>(first.data()), first.size()},
                         {const_cast<uint8_t*>(second.data()), second.size()}};
  const auto moved = retry_eintr([&] { return ::writev(fd, parts, 2); });
  if (moved >= 0) return Moved(moved);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Moved();
  return last_error("writev");
}

Status close_descriptor(int fd) {
  if (::close(fd) == -1 && errno != EINTR) return last_error("close");
  return done();
}

Result<UniqueFd> duplicate(int fd, int at_least) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, at_least));
  if (!copy.valid()) return last_error("fcntl");
  return copy;
}

Status duplicate_onto(int fd, int target, bool close_on_exec) {
  if (fd == target) return check(fcntl(fd, F_GETFD), "fcntl");
  return check(retry_eintr([&] { return ::dup3(fd, target, close_on_exec ? O_CLOEXEC : 0); }), "dup3");
}

Status set_nonblocking(int fd, bool nonblocking) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags == -1) return last_error("fcntl");
  const int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted == flags) return done();
  return check(fcntl(fd, F_SETFL, wanted), "fcntl");
}

Result<bool> is_socket(int fd) {
  struct stat status;
  if (fstat(fd, &status) == -1) return last_error("fstat");
  return S_ISSOCK(status.st_mode);
}

}  // namespace mp::sys
