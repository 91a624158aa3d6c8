#include "sys/poll_wait.h"

namespace mp::sys {

Result<int> poll_until(std::span<pollfd> fds, Deadline deadline) {
  for (;;) {
    const int timeout = poll_timeout(deadline);
    const int ready = ::poll(fds.data(), fds.size(), timeout);
    if (ready > 0) return ready;
    if (ready == -1 && errno != EINTR) return last_error("poll");
    if (timeout == 0 && ready == 0) return 0;
  }
}

}  // namespace mp::sys
