#include "fork/forker.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "fork/child_loop.h"
#include "fork/heap_pages.h"
#include "fork/heap_placement.h"
#include "fork/io_pool_parking.h"
#include "sys/process_fd.h"

namespace mp::fork {

namespace {

// A parent's pool that is busy delays a fork by this at most; see IoPoolParking for what it is waited for.
constexpr double kIoPoolPatienceMs = 10;

// Lookups that were under way in the parent count as running for ever, and there is a limit to them of half the pool
// (libuv's src/threadpool.c, slow_work_thread_threshold): room for as many again. The child's pool is yet to start.
void enlarge_io_pool() {
  const std::string size = std::to_string(2 * io_pool_size() + 4);
  setenv("UV_THREADPOOL_SIZE", size.c_str(), 1);
}

// A task of V8's that runs when the process ends is waited for, as Node does, but not for ever: it may wait for the
// main thread to collect.
constexpr double kLastTaskPatienceMs = 1000;

// malloc merges the small chunks that were freed when somebody asks for a large one (glibc: malloc_consolidate), and
// writes to dozens of pages for it: better here than in each child, where every page would be copied first.
void consolidate_malloc() {
  constexpr size_t kLarge = 4096;
  void* volatile large = std::malloc(kLarge);
  std::free(large);
}

}  // namespace

std::optional<std::string> Forker::prepare() {
  if (takeover_) return std::nullopt;
  std::string why_not;
  takeover_ = PlatformTakeover::install(node::GetMultiIsolatePlatform(env_), &why_not);
  if (!takeover_) return why_not;
  // Node destroys its platform next, with its own threads joined. This object may be gone by then, the pool is not.
  node::AtExit(
      env_, [](void* pool) { static_cast<WorkerPool*>(pool)->stop(sys::deadline_after(kLastTaskPatienceMs)); },
      &takeover_->pool());
  return std::nullopt;
}

std::optional<std::vector<pid_t>> Forker::task_threads(sys::Deadline deadline) {
  if (!takeover_->original_threads_idle(deadline)) return std::nullopt;
  return is_child_ ? std::vector<pid_t>{} : takeover_->original_threads();
}

std::optional<std::vector<pid_t>> Forker::io_threads(sys::Deadline deadline) {
  IoPoolParking parking(loop_);
  if (!parking.park_all(deadline)) return std::nullopt;
  return parking.threads();
}

void Forker::recognize_message_ports() { message_port_ = newest_wakeup_callback(loop_); }

std::optional<sys::Result<Forked>> Forker::fork(const ForkOptions& options, sys::Deadline deadline) {
  if (!takeover_->original_threads_idle(deadline)) return std::nullopt;
  IoPoolParking parking(loop_);
  const bool io_pool_quiet = parking.park(sys::deadline_after(kIoPoolPatienceMs));
  if (!takeover_->pool().pause(deadline)) return std::nullopt;
  auto forked = fork_quieted(options, io_pool_quiet, parking);
  if (!forked.ok() || forked.value().pid != 0) takeover_->pool().resume();
  return forked;
}

sys::Result<Forked> Forker::fork_quieted(const ForkOptions& options, bool io_pool_quiet, IoPoolParking& parking) {
  // Everything that can fail comes before the fork: a placeholder, of the same kind, keeps a number free for the pidfd.
  auto stand_ins = StandIns::create();
  if (!stand_ins.ok()) return stand_ins.error();
  auto placeholder = sys::open_pidfd(getpid());
  if (!placeholder.ok()) return placeholder.error();
  if (auto status = reveal_heap_to_children(); !status.ok()) return status.error();
  std::fflush(nullptr);
  consolidate_malloc();

  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &signals_before_);
  const pid_t parent = getpid();
  uv_mutex_lock(&loop_->wq_mutex);
  const pid_t pid = ::fork();
  const sys::Error failure = sys::last_error("fork");
  uv_mutex_unlock(&loop_->wq_mutex);

  if (pid != 0) {
    unblock_signals();
    hide_heap_from_others();
    if (pid < 0) return failure;
    placeholder.value().reset();
    auto pidfd = sys::open_pidfd(pid);
    if (pidfd.ok()) return Forked{pid, std::move(pidfd).value()};
    // No memory for it: a process that nobody could wait for must not go on.
    kill(pid, SIGKILL);
    sys::retry_eintr([pid] { return waitpid(pid, nullptr, 0); });
    return pidfd.error();
  }

  if (options.parent_death_signal != 0) {
    prctl(PR_SET_PDEATHSIG, options.parent_death_signal);
    if (getppid() != parent) _exit(128 + options.parent_death_signal);  // it died before the call
  }
  parking.forget_in_child();
  if (!io_pool_quiet) enlarge_io_pool();
  become_child(options, stand_ins.value());
  if (!options.fresh) unblock_signals();
  return Forked{};
}

void Forker::become_child(const ForkOptions& options, StandIns& stand_ins) {
  if (options.fresh) {
    quiet_descriptors(loop_, stand_ins, options.keep);
    quiet_peer_ = stand_ins.take_peer();
  }
  forget_registrations(loop_);
  const auto wakeups = pending_wakeups(loop_, options.fresh ? message_port_ : nullptr);
  if (const int failed = uv_loop_fork(loop_); failed != 0) {
    dprintf(STDERR_FILENO, "posix-multiprocessing: no event loop in a forked child: %s\n", uv_strerror(failed));
    _exit(1);
  }
  if (options.fresh) {
    forget_parents_work(loop_);
    lost_dns_queries_ = forget_dns_queries(loop_);
  }
  for (uv_async_t* wakeup : wakeups) uv_async_send(wakeup);
  // uv_walk leaves out libuv's own: what its pool had done by the time of the fork is on the loop, and to be looked at.
  if (!options.fresh) uv_async_send(&loop_->wq_async);
  uv_update_time(loop_);
  takeover_->pool().restart_in_child();
  if (!is_child_) leave_without_nodes_shutdown();
  is_child_ = true;
}

// Node's own shutdown joins threads that don't exist in the child.
void Forker::leave_without_nodes_shutdown() {
  node::SetProcessExitHandler(env_, [](node::Environment*, int code) { _exit(code); });
  // A loop that runs dry gets here, first of all cleanup hooks.
  node::AddEnvironmentCleanupHook(
      isolate_, [](void* self) { _exit(static_cast<Forker*>(self)->exit_code_); }, this);
}

void Forker::unblock_signals() { pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr); }

}  // namespace mp::fork
