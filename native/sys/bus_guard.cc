#include "sys/bus_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace mp::sys {

namespace {

constexpr size_t kMostGuards = 65'536;

struct Range {
  std::atomic<uintptr_t> begin;
  std::atomic<uintptr_t> end;  // 0: the slot is free
};

// All that a signal handler can reach is global.
std::array<Range, kMostGuards> ranges;
std::atomic<size_t> used;
struct sigaction previous;

struct Slots {
  std::mutex mutex;
  std::vector<size_t> free;
};

Slots& slots() {
  static Slots all;
  return all;
}

bool is_guarded(uintptr_t address) {
  const size_t count = used.load();
  for (size_t slot = 0; slot < count; ++slot) {
    const uintptr_t end = ranges[slot].end.load();
    if (end != 0 && address >= ranges[slot].begin.load() && address < end) return true;
  }
  return false;
}

// Async-signal-safe: system calls and atomics alone.
bool put_zeros_at(uintptr_t address) {
  const auto page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  auto* page = reinterpret_cast<void*>(address & ~(page_size - 1));
  constexpr int kFlags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS;
  return mmap(page, page_size, PROT_READ | PROT_WRITE, kFlags, -1, 0) != MAP_FAILED;
}

void pass_on(int signal, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // The instruction is repeated, and this time it ends the process as it would have.
    ::signal(signal, SIG_DFL);
  }
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (info->si_code != BUS_ADRERR || !is_guarded(address) || !put_zeros_at(address)) pass_on(signal, info, context);
  errno = error;
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(SIGBUS, &action, &previous);
}

}  // namespace

BusGuard::BusGuard(std::span<std::byte> memory) {
  static std::once_flag installed;
  std::call_once(installed, install);
  Slots& all = slots();
  const std::lock_guard guard(all.mutex);
  if (!all.free.empty()) {
    slot_ = all.free.back();
    all.free.pop_back();
  } else if (used.load() < kMostGuards) {
    slot_ = used.load();
  } else {
    return;
  }
  const auto begin = reinterpret_cast<uintptr_t>(memory.data());
  ranges[slot_].begin.store(begin);
  ranges[slot_].end.store(begin + memory.size());
  if (slot_ == used.load()) used.store(slot_ + 1);
}

BusGuard::BusGuard(BusGuard&& other) noexcept : slot_(std::exchange(other.slot_, kNone)) {}

BusGuard& BusGuard::operator=(BusGuard&& other) noexcept {
  BusGuard old(std::move(*this));
  slot_ = std::exchange(other.slot_, kNone);
  return *this;
}

BusGuard::~BusGuard() {
  if (slot_ == kNone) return;
  Slots& all = slots();
  const std::lock_guard guard(all.mutex);
  ranges[slot_].end.store(0);
  all.free.push_back(slot_);
}

}  // namespace mp::sys
