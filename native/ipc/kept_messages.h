// Messages that stay in the memory of a ring and are their receiver's all the same, until nobody in its process refers
// to them any more: nothing is copied, and their place is free for the next ones then.
//
//   take_to_keep() ──► KeptMessage ──► release(), when a garbage collector says so ──► give_back()
//
// Only a fork would show whose memory it is: parent and child would share it. So before a fork what is kept becomes
// memory of the process's own, at the same address (settle()).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "ipc/ring.h"
#include "sys/mapping.h"
#include "sys/result.h"

namespace mp::ipc {

class KeptMessages;

// What whoever refers to the memory holds: to be released once.
struct KeptMessage {
  std::shared_ptr<KeptMessages> all;
  std::shared_ptr<Ring> ring;
  std::shared_ptr<sys::Mapping> memory;  // none: the pages are the process's own
  Loan loan;
  int pid;
};

// Those of one process, or of one thread that has rings of its own.
class KeptMessages : public std::enable_shared_from_this<KeptMessages> {
 public:
  // From a loan of take_to_keep().
  KeptMessage* keep(std::shared_ptr<Ring> ring, Loan loan);

  // Nobody refers to it any more. On any thread, also in the middle of a collection.
  void release(std::unique_ptr<KeptMessage> message);

  // What is kept of the ring, or of all rings, becomes memory of the process's own; how many there were. ENOMEM: some
  // of it may have.
  sys::Result<size_t> settle(const Ring* only = nullptr);

 private:
  std::mutex mutex_;
  std::unordered_set<KeptMessage*> kept_;
};

}  // namespace mp::ipc
