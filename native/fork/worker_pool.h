// The threads that run V8's background tasks once this library has taken them over from Node's platform, in the parent
// and in every forked child. It differs from Node's own pool in what fork(2) needs: it can be paused at a task
// boundary, and a child goes on with the queue it inherited and threads of its own. Threads start when there is work
// for them.
#pragma once

#include <v8-platform.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "sys/clock.h"

namespace mp::fork {

class WorkerPool {
 public:
  using Task = std::unique_ptr<v8::Task>;

  // Of its threads, as /proc/self/task/*/comm shows it.
  static constexpr const char* kThreadName = "mp-v8-tasks";

  explicit WorkerPool(int max_threads);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() = delete;  // its threads are detached and live as long as the process

  void post(v8::TaskPriority priority, Task task);
  void post_delayed(Task task, double delay_in_seconds);

  // Lets no task begin any more. True once none is running; false when one still runs at the deadline, and then the
  // pool goes on as before.
  bool pause(sys::Deadline deadline);
  void resume();

  // Blocks until no task of `priority` or above is queued or running; delayed tasks don't count until they are due.
  // False when one still is at the deadline.
  bool drain(v8::TaskPriority priority, sys::Deadline deadline = sys::kForever);

  // For the end of the process: waits for the tasks that run and lets no other begin, for what they would work with is
  // about to be destroyed. They stay in the queue: V8 takes a task that is gone for one that is done. A forked child
  // destroys nothing when it ends, and need not wait.
  void stop(sys::Deadline deadline);

  // In a forked child of a paused pool, before anything else: the parent's threads don't exist here.
  void restart_in_child();

 private:
  static constexpr size_t kPriorities = 3;
  struct Sync;

  void run_thread();
  bool run_next(std::unique_lock<std::mutex>& lock);
  void ensure_thread();
  void collect_due_tasks();
  void wake_if_waited_for();
  bool busy_at(size_t priority) const;

  const int max_threads_;
  // A child can't reuse condition variables that dead threads wait on: it gets new ones and abandons these.
  Sync* sync_;
  std::array<std::deque<Task>, kPriorities> queues_;  // by v8::TaskPriority
  std::multimap<sys::Deadline, Task> delayed_;
  std::array<int, kPriorities> running_{};
  int threads_ = 0;
  int idle_ = 0;
  bool paused_ = false;
  bool stopped_ = false;
  bool in_child_ = false;
};

}  // namespace mp::fork
