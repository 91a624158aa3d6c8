// Quiets libuv's own thread pool for the moment of a fork: a thread in the middle of getaddrinfo or of OpenSSL holds
// locks that would stay taken in the child for ever. One parking request per thread is queued behind the work there is;
// when all have been taken, that work is done, its results wait on the loop, and every thread sits in our callback.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "sys/clock.h"

namespace mp::fork {

// The number of threads that libuv starts, or has started, for its pool.
int io_pool_size();

class IoPoolParking {
 public:
  explicit IoPoolParking(uv_loop_t* loop) : loop_(loop) {}
  IoPoolParking(const IoPoolParking&) = delete;
  IoPoolParking& operator=(const IoPoolParking&) = delete;
  // Lets the threads go on.
  ~IoPoolParking();

  // True when every thread of the pool is parked, or none has anything to do; false when one still works at the
  // deadline (a read from a FIFO may take for ever).
  bool park(sys::Deadline deadline);

  // The same, but threads that have nothing to do are parked too: it starts them if need be.
  bool park_all(sys::Deadline deadline);

  // Who is parked, after park_all().
  std::vector<pid_t> threads() const;

  // In a forked child: these requests have no thread that would end them.
  void forget_in_child();

 private:
  struct Meeting;

  uv_loop_t* loop_;
  std::shared_ptr<Meeting> meeting_;
  size_t queued_ = 0;
};

}  // namespace mp::fork
