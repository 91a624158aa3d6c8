#include "sys/event_fd.h"

#include <sys/eventfd.h>

#include <cerrno>

namespace mp::sys {

Result<UniqueFd> make_event_fd(unsigned initial, int flags) {
  UniqueFd fd(eventfd(initial, flags | EFD_CLOEXEC));
  if (!fd.valid()) return last_error("eventfd");
  return fd;
}

Status ring_event_fd(int fd) {
  return check(retry_eintr([&] { return eventfd_write(fd, 1); }), "eventfd_write");
}

Status silence_event_fd(int fd) {
  eventfd_t count;
  if (retry_eintr([&] { return eventfd_read(fd, &count); }) == -1 && errno != EAGAIN) return last_error("eventfd_read");
  return done();
}

}  // namespace mp::sys
