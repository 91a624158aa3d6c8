// Watches words of shared memory on behalf of an event loop: threads sleep for many words at once and, when one is not
// what it was, make a descriptor readable. One thread for every 127 words; none without.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "sys/process.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

class WordWatch {
 public:
  using Ticket = uint32_t;

  static sys::Result<std::shared_ptr<WordWatch>> create();
  explicit WordWatch(sys::UniqueFd event) : event_(std::move(event)) {}

  // Readable while there are words that have changed, until changed().
  int fd() const { return event_.get(); }

  // `memory` is kept for as long as the word is watched. EAGAIN: no thread to be had.
  static sys::Status start(const std::shared_ptr<WordWatch>& watch, Ticket ticket, const uint32_t* word,
                           uint32_t expected, std::shared_ptr<const void> memory);
  // Tickets of words that have changed; they are not watched any more.
  std::vector<Ticket> changed();
  // The word is not looked at again.
  void stop(Ticket ticket);

  // Nothing is watched any more; gives the descriptor back.
  void close();

  // False in a forked child, which has the object and not its threads: there only abandon() may be called.
  bool of_this_process() const { return pid_ == sys::process_id(); }
  void abandon() { event_.reset(); }

 private:
  struct Watched {
    Ticket ticket;
    const uint32_t* word;
    uint32_t expected;
    std::shared_ptr<const void> memory;
  };
  // Its members are the mutex's, but for `bell`, the word that the thread sleeps on besides.
  struct Sleeper {
    std::vector<Watched> words;
    uint32_t bell = 0;
  };
  using SharedSleeper = std::shared_ptr<Sleeper>;

  static void run(const std::shared_ptr<WordWatch>& watch, const SharedSleeper& sleeper);

  const pid_t pid_ = sys::process_id();
  sys::UniqueFd event_;
  // Words are looked at under it: after stop() no more.
  std::mutex mutex_;
  std::vector<SharedSleeper> sleepers_;
  std::vector<Ticket> changed_;
};

}  // namespace mp::ipc
