// A ring as the tests use it: waiting puts and takes, over poll(2) on its bells as a process of the library does it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ipc/ring.h"
#include "sys/descriptor.h"
#include "sys/poll_wait.h"
#include "test/support/outcome.h"

namespace mp::test {

using Message = std::vector<uint8_t>;

inline ipc::Ring::Bytes bytes_of(const Message& message) { return message; }

inline ipc::RingFiles copies_of(const ipc::RingFiles& files) {
  const auto copy = [](const sys::UniqueFd& fd) { return must(sys::duplicate(fd.get())); };
  return {copy(files.memory),    copy(files.items_bell), copy(files.space_bell),
          copy(files.done_bell), copy(files.mail_in),    copy(files.mail_out)};
}

inline int items_bell(const ipc::Ring& ring) { return ring.files().items_bell.get(); }
inline int space_bell(const ipc::Ring& ring) { return ring.files().space_bell.get(); }
inline int done_bell(const ipc::Ring& ring) { return ring.files().done_bell.get(); }

inline void wait_for_bell(int bell) {
  pollfd entry{.fd = bell, .events = POLLIN, .revents = 0};
  if (!sys::poll_until({&entry, 1}, sys::kForever).ok()) abort();
}

inline ipc::PutOutcome put(ipc::Ring& ring, const Message& message, bool ask = false) {
  const ipc::Ring::Bytes part = message;
  auto outcome = ring.put({&part, 1}, ask);
  if (!outcome.ok()) abort();
  return outcome.value();
}

// Waits for room; false once the ring is ended.
inline bool put_waiting(ipc::Ring& ring, const Message& message) {
  for (;;) {
    const ipc::PutOutcome outcome = put(ring, message, true);
    if (outcome != ipc::PutOutcome::kFull) return outcome == ipc::PutOutcome::kDone;
    wait_for_bell(space_bell(ring));
  }
}

// Too long for the buffer: takes it with a longer one, unless somebody else was faster.
inline ipc::Taken take_whole(ipc::Ring& ring, Message& buffer, bool ask) {
  for (;;) {
    auto taken = ring.take(buffer, ask);
    if (!taken.ok()) abort();
    if (taken.value().outcome != ipc::TakeOutcome::kTooLong) return std::move(taken).value();
    buffer.resize(taken.value().size);
  }
}

inline std::optional<Message> take(ipc::Ring& ring, bool ask = false) {
  Message buffer(64);
  const ipc::Taken taken = take_whole(ring, buffer, ask);
  if (taken.outcome != ipc::TakeOutcome::kMessage) return {};
  buffer.resize(taken.size);
  return buffer;
}

// Waits for a message; nothing once the ring is ended and empty.
inline std::optional<Message> take_waiting(ipc::Ring& ring) {
  Message buffer(64);
  for (;;) {
    const ipc::Taken taken = take_whole(ring, buffer, true);
    if (taken.outcome == ipc::TakeOutcome::kMessage) {
      buffer.resize(taken.size);
      return buffer;
    }
    if (taken.outcome == ipc::TakeOutcome::kEnded) return {};
    wait_for_bell(items_bell(ring));
  }
}

inline bool is_ringing(int bell) {
  pollfd entry{.fd = bell, .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

// A message of this size whose content its number decides.
inline Message numbered(uint32_t number, size_t size) {
  Message message(size);
  for (size_t i = 0; i < size; ++i) message[i] = static_cast<uint8_t>(number * 31 + i);
  return message;
}

}  // namespace mp::test
