#include "ipc/wait_room.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "sys/event_fd.h"
#include "sys/helper_thread.h"

namespace mp::ipc {

namespace {

constexpr double kLingerMs = 100;

void ring(uint32_t& bell) {
  std::atomic_ref(bell).fetch_add(1);
  static_cast<void>(sys::futex_wake(&bell, 1));
}

}  // namespace

sys::Result<std::shared_ptr<WaitRoom>> WaitRoom::create() {
  auto event = sys::make_event_fd(0, EFD_NONBLOCK);
  if (!event.ok()) return event.error();
  return std::make_shared<WaitRoom>(std::move(event).value());
}

sys::Result<WaitRoom::Ticket> WaitRoom::start(const std::shared_ptr<WaitRoom>& room,
                                              std::unique_ptr<Waitable> waitable) {
  const std::lock_guard guard(room->mutex_);
  const size_t words = waitable->words();
  const auto has_place = [words](const SharedSleeper& one) { return one->words + words <= sys::kMostFutexWords; };
  auto found = std::find_if(room->sleepers_.begin(), room->sleepers_.end(), has_place);
  if (found == room->sleepers_.end()) found = room->sleepers_.insert(found, std::make_shared<Sleeper>());
  const SharedSleeper sleeper = *found;
  if (!sleeper->running) {
    if (const auto started = start_thread(room, sleeper); !started.ok()) {
      room->sleepers_.erase(found);
      return started.error();
    }
  }
  const Ticket ticket = room->next_ticket_++;
  auto wait = std::make_shared<Wait>(Wait{ticket, std::move(waitable), true, {}});
  wait->waitable->begin();
  sleeper->waits.push_back(wait);
  sleeper->words += words;
  sleeper->checks.hasten();
  room->places_.emplace(ticket, Place{wait, sleeper});
  ring(sleeper->bell);
  return ticket;
}

sys::Status WaitRoom::start_thread(const std::shared_ptr<WaitRoom>& room, const SharedSleeper& sleeper) {
  using Argument = std::pair<std::shared_ptr<WaitRoom>, SharedSleeper>;
  auto argument = std::make_unique<Argument>(room, sleeper);
  const auto body = [](void* raw) {
    const std::unique_ptr<Argument> own(static_cast<Argument*>(raw));
    run(own->first, own->second);
  };
  if (const auto started = sys::start_helper_thread(body, argument.get()); !started.ok()) return started;
  static_cast<void>(argument.release());
  sleeper->running = true;
  return sys::done();
}

std::vector<WaitRoom::Ticket> WaitRoom::done() {
  const std::lock_guard guard(mutex_);
  static_cast<void>(sys::silence_event_fd(event_.get()));
  return std::exchange(done_, {});
}

// The thread may still sleep on its words, and be woken instead of somebody else: it is told, and passes that on.
WaitRoom::Place WaitRoom::take_out(Ticket ticket) {
  const auto found = places_.find(ticket);
  if (found == places_.end()) return {};
  Place place = std::move(found->second);
  places_.erase(found);
  if (place.wait->outcome.done) return place;
  std::erase(place.sleeper->waits, place.wait);
  place.sleeper->words -= place.wait->waitable->words();
  place.wait->wanted = false;
  place.wait->waitable->end();
  ring(place.sleeper->bell);
  return place;
}

Outcome WaitRoom::stop(Ticket ticket) {
  const std::lock_guard guard(mutex_);
  const Place place = take_out(ticket);
  return place.wait == nullptr ? Outcome{} : place.wait->outcome;
}

Outcome WaitRoom::give_up(Ticket ticket) {
  const std::lock_guard guard(mutex_);
  const Place place = take_out(ticket);
  if (place.wait == nullptr || place.wait->outcome.done) return place.wait == nullptr ? Outcome{} : place.wait->outcome;
  return place.wait->waitable->give_up();
}

void WaitRoom::cancel(Ticket ticket) {
  const std::lock_guard guard(mutex_);
  drop(take_out(ticket));
}

void WaitRoom::drop(const Place& place) {
  if (place.wait == nullptr) return;
  if (place.wait->outcome.done) {
    place.wait->waitable->undo();
  } else {
    place.wait->waitable->withdraw();
  }
}

void WaitRoom::close() {
  const std::lock_guard guard(mutex_);
  while (!places_.empty()) drop(take_out(places_.begin()->first));
  done_.clear();
  event_.reset();
}

bool WaitRoom::attempt_all(Sleeper& sleeper) {
  const bool look = sleeper.checks.due();
  bool any = false;
  std::erase_if(sleeper.waits, [&](const SharedWait& wait) {
    wait->outcome = wait->waitable->attempt(look);
    if (!wait->outcome.done) return false;
    wait->waitable->end();
    sleeper.words -= wait->waitable->words();
    done_.push_back(wait->ticket);
    any = true;
    return true;
  });
  return any;
}

void WaitRoom::run(const std::shared_ptr<WaitRoom>& room, const SharedSleeper& sleeper) {
  std::unique_lock guard(room->mutex_);
  std::vector<SharedWait> asleep;
  for (;;) {
    if (room->attempt_all(*sleeper)) static_cast<void>(sys::ring_event_fd(room->event_.get()));
    for (const SharedWait& wait : asleep) {
      if (!wait->wanted) wait->waitable->pass_on();
    }
    asleep = sleeper->waits;
    std::array<sys::FutexWord, sys::kMostFutexWords> words;
    const uint32_t bell = std::atomic_ref(sleeper->bell).load();
    words[0] = {&sleeper->bell, bell};
    size_t count = 1;
    for (const SharedWait& wait : asleep) {
      const std::span own(&words[count], wait->waitable->words());
      wait->waitable->arm(own);
      count += own.size();
    }
    const bool idle = asleep.empty();
    const sys::Deadline deadline = idle ? sys::deadline_after(kLingerMs) : sleeper->checks.next();
    guard.unlock();
    const auto slept = sys::futex_wait_any({words.data(), count}, deadline);
    guard.lock();
    const bool called = std::atomic_ref(sleeper->bell).load() != bell;
    if (idle && !called && sleeper->waits.empty()) break;
    // Out of memory for the kernel's part of the sleep, say: the next look is all there is.
    if (!slept.ok() && !called) {
      guard.unlock();
      static_cast<void>(sys::futex_wait(&sleeper->bell, bell, deadline));
      guard.lock();
    }
  }
  std::erase(room->sleepers_, sleeper);
}

}  // namespace mp::ipc
