// pipe(2)
#pragma once

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::sys {

struct PipeEnds {
  UniqueFd read_end;
  UniqueFd write_end;
};

// Both ends are close-on-exec and blocking.
Result<PipeEnds> make_pipe();

}  // namespace mp::sys
