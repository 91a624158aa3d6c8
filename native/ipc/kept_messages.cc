#include "ipc/kept_messages.h"

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
  if (!message->is_lent) {
    static_cast<void>(sys::discard(message->loan.bytes));
  } else if (message->pid == getpid()) {  // another one's: a child that was forked without settle()
    static_cast<void>(message->ring->give_back_kept(message->loan));
  }
}

void KeptMessages::close(Ring& ring) {
  const std::lock_guard lock(mutex_);
  ring.close_files();
}

sys::Status KeptMessages::settle() {
  const std::lock_guard lock(mutex_);
  std::unordered_set<Ring*> moved;
  for (KeptMessage* message : kept_) {
    if (!message->is_lent || message->pid != getpid()) continue;
    // From here on the old mapping is that of what was kept, and not all of it shows the ring any more.
    if (!message->ring->is_closed() && moved.insert(message->ring.get()).second) {
      if (auto mapped = message->ring->map_anew(); !mapped) return mapped;
    }
    if (auto own = sys::make_private(message->loan.bytes); !own) return own;
    message->is_lent = false;
    static_cast<void>(message->ring->give_back_kept(message->loan));
  }
  return sys::done();
}

}  // namespace mp::ipc
