#include "sys/entropy.h"

#include <sys/random.h>

namespace mp::sys {

Status fill_random(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = retry_eintr([&] { return getrandom(bytes.data(), bytes.size(), 0); });
    if (count < 0) return last_error("getrandom");
    bytes = bytes.subspan(count);
  }
  return done();
}

}  // namespace mp::sys
