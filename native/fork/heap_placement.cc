#include "fork/heap_placement.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <v8-platform.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "fork/vtable.h"

namespace mp::fork {

namespace {

constexpr uintptr_t kHeapPage = 256 * 1024;        // V8's regular page (src/common/globals.h, kPageSizeBits)
constexpr uintptr_t kBlock = 2 * 1024 * 1024;      // what one entry of a page middle directory maps
constexpr uintptr_t kRegion = uintptr_t{1} << 38;  // addresses only, taken as the heap grows
constexpr size_t kReservation = 64 * 1024 * 1024;  // from here on addresses are asked for rather than memory: for code

using Permission = v8::PageAllocator::Permission;
using AllocatePages = void*(v8::PageAllocator*, void*, size_t, size_t, Permission);

constexpr uintptr_t round_up(uintptr_t address, uintptr_t unit) { return (address + unit - 1) & ~(unit - 1); }

void* pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

// Gives pages one behind the other, readable and writable. What lies before `mapped_` and is not given yet is there
// already: the kernel makes a huge page only where all of its 2 MB are in one mapping.
class Placement {
 public:
  // Keeps what was given so far out of forks that other code makes: they would copy its page tables, to no purpose.
  void hide_from_others() {
    const std::lock_guard lock(mutex_);
    for (const auto& [begin, end] : regions_) madvise(pointer(begin), end - begin, MADV_DONTFORK);
    if (mapped_ != begin_) madvise(pointer(begin_), mapped_ - begin_, MADV_DONTFORK);
  }

  // nullptr when the kernel has something else at that place, or no memory.
  void* take(size_t length) {
    const std::lock_guard lock(mutex_);
    const size_t size = round_up(length, kHeapPage);
    if (size > end_ - next_ && !find_region()) return nullptr;
    if (next_ + size > mapped_ && !map_blocks(next_ + size)) return nullptr;
    void* pages = pointer(next_);
    next_ += size;
    return pages;
  }

 private:
  // A stretch of addresses that nothing uses, at the kernel's choice.
  bool find_region() {
    void* region = mmap(nullptr, kRegion, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED) return false;
    munmap(region, kRegion);
    if (mapped_ != begin_) regions_.emplace_back(begin_, mapped_);
    begin_ = next_ = mapped_ = round_up(reinterpret_cast<uintptr_t>(region), kBlock);
    end_ = reinterpret_cast<uintptr_t>(region) + kRegion;
    return true;
  }

  bool map_blocks(uintptr_t least) {
    const size_t size = round_up(least - mapped_, kBlock);
    void* wanted = pointer(mapped_);
    void* blocks = mmap(wanted, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (blocks != wanted) {
      if (blocks != MAP_FAILED) munmap(blocks, size);  // a kernel that does not know the flag
      next_ = end_;                                    // another region the next time
      return false;
    }
    madvise(blocks, size, MADV_HUGEPAGE);
    mapped_ += size;
    return true;
  }

  std::mutex mutex_;
  std::vector<std::pair<uintptr_t, uintptr_t>> regions_;  // those that are used up
  uintptr_t begin_ = 0;
  uintptr_t next_ = 0;
  uintptr_t mapped_ = 0;
  uintptr_t end_ = 0;
};

// One per process, as the vtable is that leads to them; never destroyed: V8 allocates until the very end.
Placement& placement() {
  static auto* const only = new Placement;
  return *only;
}
AllocatePages* original_allocate = nullptr;

void* allocate(v8::PageAllocator* self, void* hint, size_t length, size_t alignment, Permission permission) {
  // The alignment tells the heap's pages from all else. They are asked for without access, and get it in the next call:
  // taking it away in between would break up the huge page around them.
  const bool data = permission == Permission::kNoAccess || permission == Permission::kReadWrite;
  if (data && alignment == kHeapPage && length < kReservation) {
    if (void* pages = placement().take(length)) return pages;
  }
  return original_allocate(self, hint, length, alignment, permission);
}

void* replace(void** slot, void* function) {
  const uintptr_t page_size = sysconf(_SC_PAGESIZE);
  void* page = pointer(reinterpret_cast<uintptr_t>(slot) & ~(page_size - 1));
  if (mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0) return nullptr;
  void* original = __atomic_exchange_n(slot, function, __ATOMIC_ACQ_REL);
  mprotect(page, page_size, PROT_READ);
  return original;
}

}  // namespace

void hide_heap_from_others() { placement().hide_from_others(); }

void place_heap_densely() {
  if (original_allocate != nullptr) return;
  auto** table = static_cast<void**>(dlsym(RTLD_DEFAULT, "_ZTVN2v84base13PageAllocatorE"));
  if (table == nullptr) return;
  using AllocateMember = void* (v8::PageAllocator::*)(void*, size_t, size_t, Permission);
  void** slot = table + kVtableHeader + slot_of(static_cast<AllocateMember>(&v8::PageAllocator::AllocatePages));
  original_allocate = reinterpret_cast<AllocatePages*>(*slot);
  replace(slot, reinterpret_cast<void*>(&allocate));
}

}  // namespace mp::fork
