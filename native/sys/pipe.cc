#include "sys/pipe.h"

#include <fcntl.h>
#include <unistd.h>

namespace mp::sys {

Result<PipeEnds> make_pipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) == -1) return last_error("pipe2");
  return PipeEnds{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

}  // namespace mp::sys
