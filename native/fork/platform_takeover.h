// Takes V8's background tasks over from Node's platform, once per process and for good: the platform object keeps its
// identity, but its vtable pointer leads to a copy of the table in which post, delayed post and DrainTasks go to a
// WorkerPool. The slot numbers come from pointers-to-member at compile time: hence one binary per Node ABI.
#pragma once

#include <node.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "fork/worker_pool.h"
#include "sys/clock.h"

namespace mp::fork {

class PlatformTakeover {
 public:
  // Fails, with the reason in `why_not`, when the platform is not the one that this binary was built for.
  static std::unique_ptr<PlatformTakeover> install(node::MultiIsolatePlatform* platform, std::string* why_not);

  WorkerPool& pool() { return *pool_; }

  // True once every task that Node's own threads got before the takeover has ended: each of them has been seen idle.
  // False when one still runs at the deadline: ask again after a turn of the loop, it may wait for the main thread.
  bool original_threads_idle(sys::Deadline deadline);

  // Those threads, once they have been seen idle. A forked child does not have them.
  const std::vector<pid_t>& original_threads() const { return original_threads_; }

 private:
  struct Table;

  PlatformTakeover(node::MultiIsolatePlatform* platform, Table* table, WorkerPool* pool)
      : platform_(platform), table_(table), pool_(pool) {}

  node::MultiIsolatePlatform* platform_;
  Table* table_;
  WorkerPool* pool_;
  bool idle_ = false;
  std::vector<pid_t> original_threads_;
};

}  // namespace mp::fork
