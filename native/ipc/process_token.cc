#include "ipc/process_token.h"

#include <cerrno>

#include "sys/process.h"
#include "sys/process_status.h"
#include "sys/signals.h"

namespace mp::ipc {

namespace {

constexpr int kPidBits = 22;
constexpr uint32_t kPidMask = (1u << kPidBits) - 1;

ProcessToken token_of(pid_t pid, uint64_t start_time) {
  return (static_cast<uint32_t>(pid) & kPidMask) | static_cast<uint32_t>(start_time) << kPidBits;
}

}  // namespace

sys::Result<ProcessToken> own_token() {
  const pid_t pid = sys::process_id();
  const auto status = sys::process_status(pid);
  if (!status.ok()) return status.error();
  return token_of(pid, status.value().start_time);
}

pid_t pid_of(ProcessToken token) { return static_cast<pid_t>(token & kPidMask); }

bool is_dead(ProcessToken token) {
  const pid_t pid = pid_of(token);
  const auto status = sys::process_status(pid);
  if (!status.ok()) {
    // /proc may be hidden from this user (hidepid), or out of descriptors; the kernel's ESRCH is certain.
    const auto reached = sys::send_signal(pid, 0);
    return !reached.ok() && reached.error().number == ESRCH;
  }
  const sys::ProcessStatus& found = status.value();
  if (token_of(pid, found.start_time) != token) return true;
  // A main thread can end before the others: until they have, the process may still do things.
  return (found.state == 'Z' || found.state == 'X') && found.threads <= 1;
}

}  // namespace mp::ipc
