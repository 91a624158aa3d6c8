#include "ipc/word_lock.h"

#include <atomic>

namespace mp::ipc {

bool WordLock::take(bool polite) {
  const std::atomic_ref word(word_);
  uint32_t found = word.load();
  while (holder_in(found) == kNoUser) {
    const bool overdue = (found & kWordOverdue) != 0;
    if (overdue && polite && !slept_.at_all()) return false;
    const uint32_t own =
        self() | (overdue || slept_.at_all() ? kWordWaiters : 0) | (overdue && slept_.leaves_word() ? kWordOverdue : 0);
    if (word.compare_exchange_weak(found, own)) return true;
  }
  return false;
}

Outcome WordLock::take_over() {
  uint32_t found = std::atomic_ref(word_).load();
  const UserToken holder = holder_in(found);
  if (holder == kNoUser || holder == self() || !processes().is_dead(holder)) return {};
  const pid_t pid = processes().pid_of(holder);
  while (holder_in(found) == holder) {
    if (std::atomic_ref(word_).compare_exchange_strong(found, self() | kWordWaiters)) {
      taken_from_ = holder;
      return {.done = true, .detail = pid == 0 ? -1 : pid};
    }
  }
  return {};
}

Outcome WordLock::attempt(bool look) {
  if (take(!look)) return {.done = true};
  return look ? take_over() : Outcome{};
}

void WordLock::arm(std::span<sys::FutexWord> words) {
  slept_.once_more();
  const uint32_t flags = kWordWaiters | (slept_.for_long() ? kWordOverdue : 0);
  const std::atomic_ref word(word_);
  uint32_t found = word.load();
  while (holder_in(found) != kNoUser && (found & flags) != flags) {
    if (word.compare_exchange_weak(found, found | flags)) found |= flags;
  }
  // A free one is slept on by who lets others go first; else not: no word is ever kWordWaiters alone.
  words[0] = {&word_, found == 0 ? kWordWaiters : found};
}

void WordLock::pass_on() {
  if (holder_in(std::atomic_ref(word_).load()) == kNoUser) static_cast<void>(sys::futex_wake(&word_, 1));
}

// Whoever has taken over from the dead and does not want to have leaves that to the next one.
void WordLock::undo() {
  if (taken_from_ == kNoUser) {
    release(word_);
    return;
  }
  const std::atomic_ref word(word_);
  uint32_t found = word.load();
  while (holder_in(found) == self() && !word.compare_exchange_weak(found, taken_from_ | kWordWaiters)) {
  }
  static_cast<void>(sys::futex_wake(&word_, 1));
}

bool WordLock::release(uint32_t& word) {
  const std::atomic_ref shared(word);
  uint32_t found = shared.load();
  do {
    if (holder_in(found) == kNoUser) return false;
  } while (!shared.compare_exchange_weak(found, found & kWordOverdue));
  if ((found & kWordWaiters) == 0) return true;
  const auto woken = sys::futex_wake(&word, 1);
  // There is nobody to let go first.
  uint32_t free = kWordOverdue;
  if ((found & kWordOverdue) != 0 && woken.ok() && woken.value() == 0) shared.compare_exchange_strong(free, 0);
  return true;
}

}  // namespace mp::ipc
