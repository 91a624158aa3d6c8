// One message on its way in, or out: what the files of Ring pass among themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ipc/ring.h"

namespace mp::ipc {

// What is put: parts that are copied, or a loan that is handed over.
struct Ring::Message {
  std::span<const Bytes> parts;
  uint64_t size;
  std::span<const int> descriptors;
  const Loan* loan;
};

// The oldest message.
struct Ring::Found {
  RingPosition next;               // of the record after it
  std::optional<uint32_t> passed;  // a segment that is used no more once this message has been taken
  uint64_t size;
  const uint8_t* bytes;
  std::optional<Run> run;          // its own segments
  std::optional<uint64_t> serial;  // of its descriptors
};

}  // namespace mp::ipc
