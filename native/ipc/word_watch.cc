#include "ipc/word_watch.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "sys/event_fd.h"
#include "sys/futex.h"
#include "sys/futex_many.h"
#include "sys/helper_thread.h"

namespace mp::ipc {

namespace {

// Besides the bell.
constexpr size_t kMostWords = sys::kMostWatchedWords - 1;

uint32_t load(const uint32_t* word) { return std::atomic_ref(*const_cast<uint32_t*>(word)).load(); }

void ring(uint32_t& bell) {
  std::atomic_ref(bell).fetch_add(1);
  static_cast<void>(sys::futex_wake(&bell, 1));
}

}  // namespace

sys::Result<std::shared_ptr<WordWatch>> WordWatch::create() {
  auto event = sys::make_event_fd(0, EFD_NONBLOCK);
  if (!event.ok()) return event.error();
  return std::make_shared<WordWatch>(std::move(event).value());
}

sys::Status WordWatch::start(const std::shared_ptr<WordWatch>& watch, Ticket ticket, const uint32_t* word,
                             uint32_t expected, std::shared_ptr<const void> memory) {
  const std::lock_guard guard(watch->mutex_);
  auto& sleepers = watch->sleepers_;
  const auto has_room = [](const SharedSleeper& one) { return one->words.size() < kMostWords; };
  const auto found = std::find_if(sleepers.begin(), sleepers.end(), has_room);
  if (found != sleepers.end()) {
    (*found)->words.push_back({ticket, word, expected, std::move(memory)});
    ring((*found)->bell);
    return sys::done();
  }
  auto sleeper = std::make_shared<Sleeper>();
  sleeper->words.push_back({ticket, word, expected, std::move(memory)});
  using Argument = std::pair<std::shared_ptr<WordWatch>, SharedSleeper>;
  auto argument = std::make_unique<Argument>(watch, sleeper);
  const auto body = [](void* raw) {
    const std::unique_ptr<Argument> own(static_cast<Argument*>(raw));
    run(own->first, own->second);
  };
  if (const auto started = sys::start_helper_thread(body, argument.get()); !started.ok()) return started;
  static_cast<void>(argument.release());
  sleepers.push_back(std::move(sleeper));
  return sys::done();
}

std::vector<WordWatch::Ticket> WordWatch::changed() {
  const std::lock_guard guard(mutex_);
  static_cast<void>(sys::silence_event_fd(event_.get()));
  return std::exchange(changed_, {});
}

void WordWatch::stop(Ticket ticket) {
  const std::lock_guard guard(mutex_);
  std::erase(changed_, ticket);
  for (const SharedSleeper& sleeper : sleepers_) {
    if (std::erase_if(sleeper->words, [ticket](const Watched& one) { return one.ticket == ticket; }) > 0) {
      ring(sleeper->bell);
    }
  }
}

void WordWatch::close() {
  const std::lock_guard guard(mutex_);
  for (const SharedSleeper& sleeper : sleepers_) {
    sleeper->words.clear();
    ring(sleeper->bell);
  }
  changed_.clear();
  event_.reset();
}

void WordWatch::run(const std::shared_ptr<WordWatch>& watch, const SharedSleeper& sleeper) {
  std::unique_lock guard(watch->mutex_);
  for (;;) {
    const uint32_t bell = load(&sleeper->bell);
    const size_t before = watch->changed_.size();
    std::erase_if(sleeper->words, [&](const Watched& one) {
      if (load(one.word) == one.expected) return false;
      watch->changed_.push_back(one.ticket);
      return true;
    });
    if (watch->changed_.size() > before) static_cast<void>(sys::ring_event_fd(watch->event_.get()));
    if (sleeper->words.empty()) break;
    std::array<sys::WatchedWord, sys::kMostWatchedWords> words;
    words[0] = {&sleeper->bell, bell};
    size_t count = 1;
    // Kept while the kernel looks at them; what is unmapped all the same, it reports as EFAULT.
    std::vector<std::shared_ptr<const void>> memories;
    for (const Watched& one : sleeper->words) {
      words[count++] = {one.word, one.expected};
      memories.push_back(one.memory);
    }
    guard.unlock();
    static_cast<void>(sys::wait_for_any({words.data(), count}));
    memories.clear();
    guard.lock();
  }
  std::erase(watch->sleepers_, sleeper);
}

}  // namespace mp::ipc
