#include "ipc/process_table.h"

#include <atomic>
#include <cerrno>

#include "ipc/process_identity.h"
#include "sys/process.h"
#include "sys/process_status.h"

namespace mp::ipc {

namespace {

constexpr int kIndexBits = 12;
constexpr uint32_t kMostGenerations = (1u << 18) - 1;
// A table grows to this before it looks for entries of the dead, and then looks at so many of them: each look is a file
// of /proc.
constexpr uint32_t kGrowFirst = 64;
constexpr uint32_t kProbes = 8;

pid_t pid_in(const ProcessEntry& entry) { return static_cast<pid_t>(entry.high & 0xffff'ffff); }
uint32_t generation_of(const ProcessEntry& entry) { return static_cast<uint32_t>(entry.high >> 32); }
UserToken token_of(uint32_t index, const ProcessEntry& entry) { return index | generation_of(entry) << kIndexBits; }

// Entries change seldom, and then their generation does.
ProcessEntry load(const ProcessEntry& shared) {
  auto& entry = const_cast<ProcessEntry&>(shared);
  for (;;) {
    const uint64_t high = std::atomic_ref(entry.high).load();
    const uint64_t low = std::atomic_ref(entry.low).load();
    if (std::atomic_ref(entry.high).load() == high) return {low, high};
  }
}

bool has_ended(const ProcessEntry& entry) {
  // Without a pid its taker died before it had written itself in.
  return pid_in(entry) == 0 || ipc::has_ended(pid_in(entry), entry.low);
}

// A process of another PID namespace can't tell whether others live: from now on nobody is taken for dead. It says so
// before anybody can meet its token.
sys::Status join_namespace(ProcessTable& table) {
  const auto own = sys::pid_namespace();
  if (!own.ok()) return own.error();
  uint64_t found = 0;
  const std::atomic_ref shared(table.pid_namespace);
  if (!shared.compare_exchange_strong(found, own.value()) && found != own.value()) shared.store(kMixedNamespaces);
  return sys::done();
}

}  // namespace

sys::Result<UserToken> ProcessTable::enter() {
  if (const auto joined = join_namespace(*this); !joined.ok()) return joined.error();
  const pid_t pid = sys::process_id();
  const auto status = sys::process_status(pid);
  if (!status.ok()) return status.error();
  const uint64_t start_time = status.value().start_time;

  // The token of the entry when it has become this process's.
  const auto write = [&](uint32_t index, ProcessEntry found) -> UserToken {
    const uint64_t generation = generation_of(found) % kMostGenerations + 1;
    const ProcessEntry own{start_time, generation << 32 | static_cast<uint32_t>(pid)};
    return compare_exchange(entries[index], found, own) ? token_of(index, own) : kNoUser;
  };
  const auto recycle = [&](uint32_t probes, uint32_t among) {
    UserToken token = kNoUser;
    for (uint32_t i = 0; i < probes && token == kNoUser; ++i) {
      const uint32_t index = std::atomic_ref(probe).fetch_add(1) % among;
      const ProcessEntry found = load(entries[index]);
      if (has_ended(found)) token = write(index, found);
    }
    return token;
  };

  const std::atomic_ref shared_used(used);
  uint32_t count = shared_used.load();
  for (uint32_t index = 0; index < count; ++index) {
    const ProcessEntry found = load(entries[index]);
    if (pid_in(found) == pid && found.low == start_time) return token_of(index, found);
  }
  for (;;) {
    if (count >= kGrowFirst) {
      const uint32_t probes = count < kMostProcesses ? kProbes : 2 * count;
      if (const UserToken token = recycle(probes, count); token != kNoUser) return token;
    }
    if (count >= kMostProcesses) return sys::Error{ENOSPC, "sem_wait"};
    if (!shared_used.compare_exchange_strong(count, count + 1)) continue;
    if (const UserToken token = write(count, load(entries[count])); token != kNoUser) return token;
    count = shared_used.load();
  }
}

pid_t ProcessTable::pid_of(UserToken token) const {
  const ProcessEntry found = load(entries[index_of(token)]);
  return token_of(index_of(token), found) == token ? pid_in(found) : 0;
}

bool ProcessTable::is_dead(UserToken token) const {
  if (std::atomic_ref(const_cast<uint64_t&>(pid_namespace)).load() == kMixedNamespaces) return false;
  const ProcessEntry found = load(entries[index_of(token)]);
  // Who has the entry now has seen that its predecessor was dead.
  return token_of(index_of(token), found) != token || has_ended(found);
}

}  // namespace mp::ipc
