#include "fork/heap_placement.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <v8-platform.h>

#include <atomic>
#include <cstdint>

#include "fork/vtable.h"

namespace mp::fork {

namespace {

constexpr uintptr_t kPage = 256 * 1024;       // V8's regular page (src/common/globals.h, kPageSizeBits)
constexpr uintptr_t kRegion = uintptr_t{1} << 40;

using GetRandomAddress = void*(v8::PageAllocator*);
using AllocatePages = void*(v8::PageAllocator*, void*, size_t, size_t, v8::PageAllocator::Permission);

// One per process, as V8's page allocator is; its threads allocate too.
struct Placement {
  std::atomic<uintptr_t> next{0};
  uintptr_t end = 0;
  GetRandomAddress* original_address = nullptr;
  AllocatePages* original_allocate = nullptr;
};
Placement placement;

uintptr_t page_up(uintptr_t address) { return (address + kPage - 1) & ~(kPage - 1); }

// Only a hint: where it is taken already, the kernel finds another place.
void* next_address(v8::PageAllocator* self) {
  const uintptr_t next = placement.next.load(std::memory_order_relaxed);
  return next < placement.end ? reinterpret_cast<void*>(next) : placement.original_address(self);
}

void* allocate_and_advance(v8::PageAllocator* self, void* hint, size_t length, size_t alignment,
                           v8::PageAllocator::Permission permission) {
  void* pages = placement.original_allocate(self, hint, length, alignment, permission);
  const uintptr_t begin = reinterpret_cast<uintptr_t>(pages);
  const uintptr_t next = placement.next.load(std::memory_order_relaxed);
  if (begin >= next && begin < placement.end) {
    placement.next.store(page_up(begin + length), std::memory_order_relaxed);
  }
  return pages;
}

// A stretch of addresses that nothing uses, at the kernel's choice.
uintptr_t find_region() {
  void* region = mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) return 0;
  munmap(region, kRegion);
  return page_up(reinterpret_cast<uintptr_t>(region));
}

void* replace(void** slot, void* function) {
  const uintptr_t page_size = sysconf(_SC_PAGESIZE);
  void* page = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(slot) & ~(page_size - 1));
  if (mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0) return nullptr;
  void* original = __atomic_exchange_n(slot, function, __ATOMIC_ACQ_REL);
  mprotect(page, page_size, PROT_READ);
  return original;
}

}  // namespace

void place_heap_densely() {
  if (placement.end != 0) return;
  auto** table = static_cast<void**>(dlsym(RTLD_DEFAULT, "_ZTVN2v84base13PageAllocatorE"));
  const uintptr_t region = table == nullptr ? 0 : find_region();
  if (region == 0) return;
  using AllocateMember = void* (v8::PageAllocator::*)(void*, size_t, size_t, v8::PageAllocator::Permission);
  void** slots = table + kVtableHeader;
  void** address_slot = slots + slot_of(&v8::PageAllocator::GetRandomMmapAddr);
  void** allocate_slot = slots + slot_of(static_cast<AllocateMember>(&v8::PageAllocator::AllocatePages));
  placement.original_address = reinterpret_cast<GetRandomAddress*>(*address_slot);
  placement.original_allocate = reinterpret_cast<AllocatePages*>(*allocate_slot);
  placement.next.store(region, std::memory_order_relaxed);
  placement.end = region + kRegion;
  if (replace(allocate_slot, reinterpret_cast<void*>(&allocate_and_advance)) == nullptr) return;
  replace(address_slot, reinterpret_cast<void*>(&next_address));
}

}  // namespace mp::fork
