#include "fork/io_pool_parking.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "fork/condition.h"

namespace mp::fork {

struct IoPoolParking::Meeting {
  std::mutex mutex;
  Condition changed;
  std::vector<pid_t> arrived;
  bool over = false;
};

// As libuv reads it when it starts the pool (src/threadpool.c, init_threads).
int io_pool_size() {
  constexpr int kDefault = 4;
  constexpr int kMax = 1024;
  const char* setting = std::getenv("UV_THREADPOOL_SIZE");
  if (setting == nullptr) return kDefault;
  return std::clamp(std::atoi(setting), 1, kMax);
}

IoPoolParking::~IoPoolParking() {
  if (!meeting_) return;
  const std::lock_guard lock(meeting_->mutex);
  meeting_->over = true;
  meeting_->changed.notify_all();
}

bool IoPoolParking::park(sys::Deadline deadline) {
  // No request of this loop is under way, so no thread has work: Workers, which have loops of their own, are refused.
  return loop_->active_reqs.count == 0 || park_all(deadline);
}

bool IoPoolParking::park_all(sys::Deadline deadline) {
  struct Request {
    uv_work_t work;
    std::shared_ptr<Meeting> meeting;
  };
  meeting_ = std::make_shared<Meeting>();
  const size_t threads = io_pool_size();
  for (; queued_ < threads; ++queued_) {
    auto* request = new Request{.work = {}, .meeting = meeting_};
    request->work.data = request;
    const auto work = [](uv_work_t* work) {
      Meeting& meeting = *static_cast<Request*>(work->data)->meeting;
      std::unique_lock lock(meeting.mutex);
      meeting.arrived.push_back(gettid());
      meeting.changed.notify_all();
      meeting.changed.wait(lock, sys::kForever, [&] { return meeting.over; });
    };
    const auto after = [](uv_work_t* work, int) { delete static_cast<Request*>(work->data); };
    if (uv_queue_work(loop_, &request->work, work, after) != 0) {
      delete request;
      return false;
    }
  }
  std::unique_lock lock(meeting_->mutex);
  return meeting_->changed.wait(lock, deadline, [&] { return meeting_->arrived.size() == threads; });
}

std::vector<pid_t> IoPoolParking::threads() const {
  const std::lock_guard lock(meeting_->mutex);
  return meeting_->arrived;
}

void IoPoolParking::forget_in_child() {
  loop_->active_reqs.count -= queued_;
  // Abandoned, not destroyed: dead threads wait on it.
  new std::shared_ptr<Meeting>(std::move(meeting_));
  meeting_.reset();
}

}  // namespace mp::fork
