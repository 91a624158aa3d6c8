// Memory mapped from a descriptor, or anonymous. mmap(2)
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "sys/bus_guard.h"
#include "sys/result.h"

namespace mp::sys {

// Enters the pages of a range into the page table at once, which touching them one by one does many times slower; of a
// file they should be there. Where the kernel (before 5.14) can't, nothing happens. madvise(2), MADV_POPULATE_WRITE
void populate_for_writing(void* address, size_t length);

// The whole pages that hold the range.
std::span<std::byte> pages_of(std::span<uint8_t> range);

// Sole owner of one mapping. A forked child has the same memory at the same address (MAP_SHARED) or a copy of it, and
// an owner of its own: whoever of the two unmaps does not touch the other's.
class Mapping {
 public:
  // mmap(2) at an address of the kernel's choice: `protection` is PROT_*, `flags` MAP_*, `offset` a multiple of the
  // page size. EINVAL for length 0. Memory past the end of the file raises SIGBUS when it is touched.
  static Result<Mapping> create(int fd, size_t length, int protection, int flags, int64_t offset = 0);
  // Readable, writable and shared, from the start of the file.
  static Result<Mapping> shared(int fd, size_t length) {
    return create(fd, length, PROT_READ | PROT_WRITE, MAP_SHARED);
  }

  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})),
        guard_(std::move(other.guard_)),
        given_away_(std::exchange(other.given_away_, {})) {}
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  bool valid() const { return !bytes_.empty(); }
  std::byte* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }

  // msync(2) of a range of it; `offset` is a multiple of the page size, `flags` are MS_*.
  Status sync(size_t offset, size_t length, int flags) const;
  // Of a MAP_PRIVATE mapping of a file: forgets what was written through it, so that it shows the file again. Linux's
  // madvise(MADV_DONTNEED).
  Status discard_writes() const;
  // From now on touching what is past the file's end reads zeros instead of raising SIGBUS. See BusGuard.
  void guard() { guard_ = BusGuard(bytes_); }
  // The pages, which show the file from `offset` on, become memory of this process alone, with what is in them; what
  // other threads, or the kernel, write to them meanwhile is not lost. They stay when the rest of the mapping goes:
  // whoever has them unmaps them. EINVAL: they are not all of this mapping.
  Status make_private(std::span<std::byte> pages, int fd, int64_t offset);
  // Gives the memory back now; the object is empty then. munmap(2)
  Status unmap();

 private:
  explicit Mapping(std::span<std::byte> bytes) : bytes_(bytes) {}

  std::span<std::byte> bytes_;
  BusGuard guard_;
  std::map<std::byte*, size_t> given_away_;  // parts that are no longer this mapping's
};

}  // namespace mp::sys
