// The descriptors that go with messages.
#include <cstring>

#include "ipc/ring.h"
#include "sys/scm_rights.h"
#include "sys/socket_pair.h"

namespace mp::ipc {

// The mailbox keeps the order of the ring, as each of its sides is used under the mutex of an end. False: it is full.
sys::Result<bool> Ring::post(uint64_t serial, std::span<const int> descriptors) {
  uint8_t bytes[sizeof(serial)];
  std::memcpy(bytes, &serial, sizeof(serial));
  const auto sent = sys::send_descriptors(files_.mail_in.get(), descriptors, bytes);
  if (!sent) return sent.error();
  return sent.value().has_value();
}

// What lies before them was posted by processes that died before their message was in.
sys::Result<std::vector<sys::UniqueFd>> Ring::collect(uint64_t serial, bool* lost) {
  for (;;) {
    uint64_t found = 0;
    uint8_t bytes[sizeof(found)];
    const auto seen = sys::peek_some(files_.mail_out.get(), bytes);
    if (!seen) return seen.error();
    std::memcpy(&found, bytes, sizeof(found));
    if (!seen.value() || found > serial) {
      *lost = true;
      return std::vector<sys::UniqueFd>();
    }
    auto received = sys::receive_descriptors(files_.mail_out.get(), sys::kMaxDescriptors, bytes);
    if (!received) return received.error();
    if (found == serial && received.value()) return std::move(received.value()->fds);
  }
}

}  // namespace mp::ipc
