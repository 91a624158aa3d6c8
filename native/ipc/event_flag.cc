#include "ipc/event_flag.h"

namespace mp::ipc {

Outcome EventFlag::attempt(bool) {
  const bool set = value_of(load_halves(record_.counts)) != 0 || std::atomic_ref(record_.epoch).load() != epoch_;
  return {.done = set};
}

void EventFlag::arm(std::span<sys::FutexWord> words) {
  words[0] = {value_word(record_), 0};
  words[1] = {&record_.epoch, epoch_};
}

void EventFlag::end() {
  end_waiting(record_);
  // sem_post wakes one.
  pass_wake_on(record_);
}

}  // namespace mp::ipc
