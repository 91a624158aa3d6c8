#include "sys/process_attributes.h"

#include <sys/prctl.h>

#include <array>

namespace mp::sys {

namespace {
constexpr size_t kThreadNameBytes = 16;  // the terminating zero included: PR_SET_NAME(2const)

// The options that take one argument refuse other values than 0 in the rest.
int set_attribute(int option, unsigned long value) { return prctl(option, value, 0UL, 0UL, 0UL); }

Result<int> read_attribute(int option) {
  int value = 0;
  if (prctl(option, &value, 0UL, 0UL, 0UL) == -1) return last_error("prctl");
  return value;
}
}  // namespace

Status set_parent_death_signal(int signal) {
  return check(set_attribute(PR_SET_PDEATHSIG, static_cast<unsigned long>(signal)), "prctl");
}

Result<int> parent_death_signal() { return read_attribute(PR_GET_PDEATHSIG); }

Status set_child_subreaper(bool enabled) { return check(set_attribute(PR_SET_CHILD_SUBREAPER, enabled), "prctl"); }

Result<bool> child_subreaper() {
  auto value = read_attribute(PR_GET_CHILD_SUBREAPER);
  if (!value) return value.error();
  return value.value() != 0;
}

Status set_thread_name(const std::string& name) { return check(prctl(PR_SET_NAME, name.c_str()), "prctl"); }

Result<std::string> thread_name() {
  std::array<char, kThreadNameBytes> name{};
  if (prctl(PR_GET_NAME, name.data()) == -1) return last_error("prctl");
  return std::string(name.data());
}

Result<int> control_process(int option, unsigned long value) {
  const int outcome = set_attribute(option, value);
  if (outcome == -1) return last_error("prctl");
  return outcome;
}

}  // namespace mp::sys
