#include "sys/scheduling.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

namespace mp::sys {

namespace {

constexpr size_t kMostCpus = size_t{1} << 20;  // far above any NR_CPUS: where doubling ends

// A cpu_set_t of any length: the fixed one ends at 1024 processors.
class CpuMask {
 public:
  explicit CpuMask(size_t cpus) : sets_((cpus + CPU_SETSIZE - 1) / CPU_SETSIZE) {}

  size_t bytes() const { return sets_.size() * sizeof(cpu_set_t); }
  cpu_set_t* get() { return sets_.data(); }
  void add(int cpu) { CPU_SET_S(static_cast<size_t>(cpu), bytes(), get()); }

  std::vector<int> members() {
    std::vector<int> cpus;
    for (size_t cpu = 0; cpu < bytes() * 8; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes(), get())) cpus.push_back(static_cast<int>(cpu));
    }
    return cpus;
  }

 private:
  std::vector<cpu_set_t> sets_;
};

}  // namespace

Result<int> priority(int which, id_t who) {
  errno = 0;  // -1 is a nice value too
  const int value = getpriority(static_cast<__priority_which_t>(which), who);
  if (value == -1 && errno != 0) return last_error("getpriority");
  return value;
}

Status set_priority(int which, id_t who, int value) {
  return check(setpriority(static_cast<__priority_which_t>(which), who, value), "setpriority");
}

Result<std::vector<int>> affinity(pid_t pid, size_t guess) {
  for (size_t cpus = guess;; cpus = std::max(2 * cpus, kFirstCpuGuess)) {
    CpuMask mask(cpus);
    if (sched_getaffinity(pid, mask.bytes(), mask.get()) == 0) return mask.members();
    if (errno != EINVAL || cpus >= kMostCpus) return last_error("sched_getaffinity");
  }
}

Status set_affinity(pid_t pid, const std::vector<int>& cpus) {
  const int highest = cpus.empty() ? 0 : *std::ranges::max_element(cpus);
  CpuMask mask(static_cast<size_t>(highest) + 1);
  for (const int cpu : cpus) mask.add(cpu);
  return check(sched_setaffinity(pid, mask.bytes(), mask.get()), "sched_setaffinity");
}

}  // namespace mp::sys
