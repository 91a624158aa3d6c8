// Limits of what the process may consume. getrlimit(2)
#pragma once

#include <sys/resource.h>

#include "sys/result.h"

namespace mp::sys {

// RLIM_INFINITY for none.
Result<rlimit> resource_limits(int resource);

// EPERM: a hard limit above the present one without CAP_SYS_RESOURCE. EINVAL: soft above hard.
Status set_resource_limits(int resource, const rlimit& limits);

}  // namespace mp::sys
