// fork(2) of a running Node: the order of the steps. What a child then is in JavaScript's eyes is ts/fork's business.
#pragma once

#include <node.h>
#include <signal.h>
#include <sys/types.h>
#include <uv.h>
#include <v8.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fork/platform_takeover.h"
#include "sys/clock.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::fork {

struct ForkOptions {
  // A process of the library's: nothing of the parent's runs in it. Otherwise the raw fork, which keeps all.
  bool fresh;
  // Descriptors of libuv handles that a fresh child keeps.
  std::span<const int32_t> keep;
  // The signal a child gets when its parent dies, however it dies (prctl(2), PR_SET_PDEATHSIG); 0: none.
  int parent_death_signal;
};

struct Forked {
  pid_t pid = 0;        // 0 in the child
  sys::UniqueFd pidfd;  // in the parent
};

class Forker {
 public:
  Forker(v8::Isolate* isolate, node::Environment* env, uv_loop_t* loop) : isolate_(isolate), env_(env), loop_(loop) {}

  // Takes V8's background threads over, once. The reason when that can't be.
  std::optional<std::string> prepare();

  // To be called right after a MessagePort was made: a fresh child delivers nothing that is on its way to one.
  void recognize_message_ports();

  // The threads that Node made for V8's tasks, or for libuv's pool, by their ids; nullopt when they were busy till the
  // deadline.
  std::optional<std::vector<pid_t>> task_threads(sys::Deadline deadline);
  std::optional<std::vector<pid_t>> io_threads(sys::Deadline deadline);

  // nullopt: V8's threads were busy till the deadline; let the loop turn and ask again.
  // A fresh child returns with all signals blocked, until unblock_signals(): its handlers are still the parent's.
  std::optional<sys::Result<Forked>> fork(const ForkOptions& options, sys::Deadline deadline);
  void unblock_signals();

  // The threads of V8's tasks, after prepare().
  WorkerPool& task_pool() { return takeover_->pool(); }

  // True in a fresh child whose parent waited for the answer of a DNS server.
  bool lost_dns_queries() const { return lost_dns_queries_; }

  // The code that a child ends with when its loop runs dry.
  void set_exit_code(int code) { exit_code_ = code; }

 private:
  sys::Result<Forked> fork_quieted(const ForkOptions& options, bool io_pool_quiet, class IoPoolParking& parking);
  void become_child(const ForkOptions& options, class StandIns& stand_ins);
  void leave_without_nodes_shutdown();

  v8::Isolate* isolate_;
  node::Environment* env_;
  uv_loop_t* loop_;
  std::unique_ptr<PlatformTakeover> takeover_;
  // In a fresh child: what keeps its quiet socket quiet. A child of its own gets another, and closes this one.
  sys::UniqueFd quiet_peer_;
  sigset_t signals_before_{};
  uv_async_cb message_port_ = nullptr;
  int exit_code_ = 0;
  bool lost_dns_queries_ = false;
  bool is_child_ = false;
};

}  // namespace mp::fork
