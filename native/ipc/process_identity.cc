#include "ipc/process_identity.h"

#include <cerrno>

#include "sys/process.h"
#include "sys/process_status.h"
#include "sys/signals.h"

namespace mp::ipc {

namespace {

// Of a process that this user may not see (hidepid), or when out of descriptors: the kernel's ESRCH is certain.
bool is_unreachable(pid_t pid) {
  const auto reached = sys::send_signal(pid, 0);
  return !reached.ok() && reached.error().number == ESRCH;
}

}  // namespace

sys::Result<ProcessIdentity> own_identity() {
  const pid_t pid = sys::process_id();
  const auto status = sys::process_status(pid);
  if (!status.ok()) return status.error();
  const auto pid_namespace = sys::pid_namespace();
  if (!pid_namespace.ok()) return pid_namespace.error();
  // The kernel numbers namespaces with 32 bits.
  return ProcessIdentity{status.value().start_time, static_cast<uint32_t>(pid),
                         static_cast<uint32_t>(pid_namespace.value())};
}

bool has_ended(pid_t pid, uint64_t start_time) {
  const auto status = sys::process_status(pid);
  if (!status.ok()) return is_unreachable(pid);
  const sys::ProcessStatus& found = status.value();
  if (found.start_time != start_time) return true;
  // A main thread can end before the others: until they have, the process may still do things.
  return (found.state == 'Z' || found.state == 'X') && found.threads <= 1;
}

bool has_ended(const ProcessIdentity& process) {
  const auto own = sys::pid_namespace();
  if (!own.ok() || static_cast<uint32_t>(own.value()) != process.pid_namespace) return false;
  return has_ended(static_cast<pid_t>(process.pid), process.start_time);
}

}  // namespace mp::ipc
