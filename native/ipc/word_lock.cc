#include "ipc/word_lock.h"

#include <atomic>

namespace mp::ipc {

bool WordLock::take() {
  const uint32_t own = slept_ ? self() | kWordWaiters : self();
  uint32_t found = 0;
  return std::atomic_ref(word_).compare_exchange_strong(found, own);
}

Outcome WordLock::take_over() {
  uint32_t found = std::atomic_ref(word_).load();
  const ProcessToken holder = found & ~kWordWaiters;
  if (holder == kNobody || holder == self() || !processes().is_dead(holder)) return {};
  const pid_t pid = processes().pid_of(holder);
  while ((found & ~kWordWaiters) == holder) {
    if (std::atomic_ref(word_).compare_exchange_strong(found, self() | kWordWaiters)) {
      taken_from_ = holder;
      return {.done = true, .detail = pid == 0 ? -1 : pid};
    }
  }
  return {};
}

Outcome WordLock::attempt(bool look) {
  if (take()) return {.done = true};
  return look ? take_over() : Outcome{};
}

void WordLock::arm(std::span<sys::FutexWord> words) {
  slept_ = true;
  const std::atomic_ref word(word_);
  uint32_t found = word.load();
  while (found != 0 && (found & kWordWaiters) == 0) {
    if (word.compare_exchange_weak(found, found | kWordWaiters)) found |= kWordWaiters;
  }
  // A free one is not slept on: no word is ever kWordWaiters alone.
  words[0] = {&word_, found == 0 ? kWordWaiters : found};
}

void WordLock::pass_on() {
  if (std::atomic_ref(word_).load() == 0) static_cast<void>(sys::futex_wake(&word_, 1));
}

// Whoever has taken over from the dead and does not want to have leaves that to the next one.
void WordLock::undo() {
  if (taken_from_ == kNobody) {
    release(word_);
    return;
  }
  const std::atomic_ref word(word_);
  uint32_t found = word.load();
  while ((found & ~kWordWaiters) == self() && !word.compare_exchange_weak(found, taken_from_ | kWordWaiters)) {
  }
  static_cast<void>(sys::futex_wake(&word_, 1));
}

bool WordLock::release(uint32_t& word) {
  const std::atomic_ref shared(word);
  uint32_t found = shared.load();
  do {
    if (found == 0) return false;
  } while (!shared.compare_exchange_weak(found, 0));
  if ((found & kWordWaiters) != 0) static_cast<void>(sys::futex_wake(&word, 1));
  return true;
}

}  // namespace mp::ipc
