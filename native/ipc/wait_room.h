// Waits on behalf of an event loop: threads that sleep for many waits at once and, when one is done, make a descriptor
// readable. A kernel wait takes 128 words (futex_waitv(2)), one of which is the thread's own: so there is one thread
// for every 127 words that are waited for, and none 100 ms after the last.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "ipc/waitable.h"
#include "sys/process.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

class WaitRoom {
 public:
  using Ticket = uint32_t;

  static sys::Result<std::shared_ptr<WaitRoom>> create();
  explicit WaitRoom(sys::UniqueFd event) : event_(std::move(event)) {}

  // Readable while there are waits that are done, until done().
  int fd() const { return event_.get(); }

  // Begins a wait. EAGAIN: no thread to be had.
  static sys::Result<Ticket> start(const std::shared_ptr<WaitRoom>& room, std::unique_ptr<Waitable> wait);
  // The waits that are done; each is still to be stopped.
  std::vector<Ticket> done();
  // Ends a wait: its outcome by now. Nothing is taken afterwards.
  Outcome stop(Ticket ticket);
  // Ends a wait whose time is up: what comes at this last moment is the outcome.
  Outcome give_up(Ticket ticket);
  // Ends a wait that nobody wants any more: what has come goes back.
  void cancel(Ticket ticket);
  // Ends all waits so, and gives the descriptor back.
  void close();

  // False in a forked child, which has the object and not its threads: there only abandon() may be called, as the mutex
  // may never be unlocked again. It closes the child's copy of the descriptor.
  bool of_this_process() const { return pid_ == sys::process_id(); }
  void abandon() { event_.reset(); }

 private:
  struct Wait {
    Ticket ticket;
    std::unique_ptr<Waitable> waitable;
    bool wanted = true;
    Outcome outcome;
  };
  using SharedWait = std::shared_ptr<Wait>;

  // Its members are the room's mutex's, but for `bell`, the word that the thread sleeps on besides.
  struct Sleeper {
    std::vector<SharedWait> waits;
    size_t words = 1;  // of them all, and the bell
    uint32_t bell = 0;
    bool running = false;
    LifeChecks checks;
  };
  using SharedSleeper = std::shared_ptr<Sleeper>;

  struct Place {
    SharedWait wait;
    SharedSleeper sleeper;
  };

  static void run(const std::shared_ptr<WaitRoom>& room, const SharedSleeper& sleeper);
  static sys::Status start_thread(const std::shared_ptr<WaitRoom>& room, const SharedSleeper& sleeper);
  bool attempt_all(Sleeper& sleeper);
  Place take_out(Ticket ticket);
  static void drop(const Place& place);

  const pid_t pid_ = sys::process_id();
  sys::UniqueFd event_;
  // What waits acquire is acquired under it, so that stop() and the acquiring have an order.
  std::mutex mutex_;
  std::unordered_map<Ticket, Place> places_;
  std::vector<SharedSleeper> sleepers_;
  std::vector<Ticket> done_;
  Ticket next_ticket_ = 1;
};

}  // namespace mp::ipc
