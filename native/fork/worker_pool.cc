#include "fork/worker_pool.h"

#include <pthread.h>
#include <signal.h>

#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "fork/condition.h"

namespace mp::fork {

struct WorkerPool::Sync {
  std::mutex mutex;
  Condition work;   // a task was queued, or the pool was resumed
  Condition quiet;  // a task ended
};

namespace {

size_t rank(v8::TaskPriority priority) { return static_cast<size_t>(priority); }

// Signals belong to the main thread: libuv's handlers must not run here.
// False at the limit of threads.
bool start_detached(void* (*entry)(void*), void* argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, entry, argument) == 0;
  if (started) {
    pthread_setname_np(thread, WorkerPool::kThreadName);  // here: nobody is to see it without
    pthread_detach(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace

WorkerPool::WorkerPool(int max_threads) : max_threads_(max_threads), sync_(new Sync) {}

void WorkerPool::post(v8::TaskPriority priority, Task task) {
  const std::lock_guard lock(sync_->mutex);
  queues_[rank(priority)].push_back(std::move(task));
  ensure_thread();
}

void WorkerPool::post_delayed(Task task, double delay_in_seconds) {
  const std::lock_guard lock(sync_->mutex);
  delayed_.emplace(sys::deadline_after(delay_in_seconds * 1000), std::move(task));
  ensure_thread();
}

// With the mutex held: somebody must see the new task.
void WorkerPool::ensure_thread() {
  if (stopped_) return;
  if (idle_ == 0 && threads_ < max_threads_) {
    const bool started = start_detached(
        [](void* pool) -> void* {
          static_cast<WorkerPool*>(pool)->run_thread();
          return nullptr;
        },
        this);
    if (started) ++threads_;
  } else {
    sync_->work.notify_one();
  }
}

void WorkerPool::collect_due_tasks() {
  const sys::Deadline now = sys::monotonic_now();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    queues_[rank(v8::TaskPriority::kUserVisible)].push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
}

// With the mutex held, which is given up while the task runs.
bool WorkerPool::run_next(std::unique_lock<std::mutex>& lock) {
  collect_due_tasks();
  size_t level = kPriorities;
  while (level > 0 && queues_[level - 1].empty()) --level;
  if (paused_ || level == 0) return false;
  const size_t index = level - 1;
  Task task = std::move(queues_[index].front());
  queues_[index].pop_front();
  ++running_[index];
  lock.unlock();
  task->Run();
  task.reset();
  lock.lock();
  --running_[index];
  sync_->quiet.notify_all();
  return true;
}

void WorkerPool::run_thread() {
  std::unique_lock lock(sync_->mutex);
  for (;;) {
    if (run_next(lock)) continue;
    ++idle_;
    sync_->work.wait(lock, delayed_.empty() || paused_ ? sys::kForever : delayed_.begin()->first);
    --idle_;
  }
}

bool WorkerPool::busy_at(size_t priority) const {
  for (size_t level = priority; level < kPriorities; ++level) {
    if (running_[level] > 0 || !queues_[level].empty()) return true;
  }
  return false;
}

// With the mutex held, after a pause: nobody need wake up who has missed nothing.
void WorkerPool::wake_if_waited_for() {
  if (busy_at(0) || !delayed_.empty()) sync_->work.notify_all();
}

bool WorkerPool::pause(sys::Deadline deadline) {
  std::unique_lock lock(sync_->mutex);
  paused_ = true;
  const auto nothing_runs = [this] { return std::accumulate(running_.begin(), running_.end(), 0) == 0; };
  if (sync_->quiet.wait(lock, deadline, nothing_runs)) return true;
  paused_ = false;
  wake_if_waited_for();
  return false;
}

void WorkerPool::stop(sys::Deadline deadline) {
  if (in_child_) return;
  pause(deadline);
  const std::lock_guard lock(sync_->mutex);
  paused_ = stopped_ = true;
}

void WorkerPool::resume() {
  const std::lock_guard lock(sync_->mutex);
  paused_ = false;
  wake_if_waited_for();
}

bool WorkerPool::drain(v8::TaskPriority priority, sys::Deadline deadline) {
  std::unique_lock lock(sync_->mutex);
  // Where no thread could be made, nobody else would run them.
  while (threads_ == 0 && busy_at(rank(priority)) && run_next(lock)) {
  }
  return sync_->quiet.wait(lock, deadline, [this, priority] { return stopped_ || !busy_at(rank(priority)); });
}

void WorkerPool::restart_in_child() {
  in_child_ = true;
  sync_ = new Sync;
  threads_ = 0;
  idle_ = 0;
  paused_ = false;
  size_t waiting = delayed_.empty() ? 0 : 1;
  for (const auto& queue : queues_) waiting += queue.size();
  const std::lock_guard lock(sync_->mutex);
  for (size_t started = 0; started < waiting && threads_ < max_threads_; ++started) ensure_thread();
}

}  // namespace mp::fork
