#include "ipc/kept_messages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace mp::ipc {

KeptMessage* KeptMessages::keep(std::shared_ptr<Ring> ring, Loan loan) {
  auto memory = ring->memory();
  auto message = std::make_unique<KeptMessage>(
      KeptMessage{shared_from_this(), std::move(ring), std::move(memory), loan, getpid()});
  const std::lock_guard lock(mutex_);
  kept_.insert(message.get());
  return message.release();
}

// With the mutex held throughout: settle() must not change the ring's mapping meanwhile.
void KeptMessages::release(std::unique_ptr<KeptMessage> message) {
  const std::lock_guard lock(mutex_);
  kept_.erase(message.get());
  if (message->memory == nullptr) {
    const auto pages = sys::pages_of(message->loan.bytes);
    munmap(pages.data(), pages.size());
  } else if (message->pid == getpid()) {  // another one's: a child that was forked without settle()
    static_cast<void>(message->ring->give_back_kept(message->loan));
  }
}

sys::Result<size_t> KeptMessages::settle(const Ring* only) {
  const std::lock_guard lock(mutex_);
  std::unordered_set<Ring*> moved;
  size_t settled = 0;
  for (KeptMessage* message : kept_) {
    const bool is_wanted = only == nullptr || message->ring.get() == only;
    if (!is_wanted || message->memory == nullptr || message->pid != getpid()) continue;
    // From here on not all of the old mapping shows the ring any more.
    if (moved.insert(message->ring.get()).second) {
      if (auto mapped = message->ring->map_anew(); !mapped) return mapped.error();
    }
    if (auto own = message->ring->make_own(message->loan, *message->memory); !own) return own.error();
    static_cast<void>(message->ring->give_back_kept(message->loan));
    message->memory.reset();
    message->ring.reset();
    ++settled;
  }
  return settled;
}

}  // namespace mp::ipc
