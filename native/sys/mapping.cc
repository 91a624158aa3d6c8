#include "sys/mapping.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace mp::sys {

void populate_for_writing(void* address, size_t length) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE; glibc 2.36's headers may lack it
  static_cast<void>(madvise(address, length, kPopulateWrite));
}

std::span<std::byte> pages_of(std::span<uint8_t> range) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(range.data()) & ~(page - 1);
  const auto end = (reinterpret_cast<uintptr_t>(range.data() + range.size()) + page - 1) & ~(page - 1);
  return {reinterpret_cast<std::byte*>(first), end - first};
}

Result<Mapping> Mapping::create(int fd, size_t length, int protection, int flags, int64_t offset) {
  void* address = mmap(nullptr, length, protection, flags, fd, offset);
  if (address == MAP_FAILED) return last_error("mmap");
  return Mapping({static_cast<std::byte*>(address), length});
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  static_cast<void>(unmap());
  bytes_ = std::exchange(other.bytes_, {});
  guard_ = std::move(other.guard_);
  given_away_ = std::exchange(other.given_away_, {});
  return *this;
}

Mapping::~Mapping() { static_cast<void>(unmap()); }

Status Mapping::sync(size_t offset, size_t length, int flags) const {
  if (offset > size() || length > size() - offset) return Error{ENOMEM, "msync"};
  return check(msync(data() + offset, length, flags), "msync");
}

Status Mapping::discard_writes() const { return check(madvise(data(), size(), MADV_DONTNEED), "madvise"); }

// A private mapping of the file in their place shows the same bytes; the kernel makes each page a copy when it is
// written to, and a write that changes nothing is one. No moment lies between a copy and its becoming the page.
Status Mapping::make_private(std::span<std::byte> pages, int fd, int64_t offset) {
  if (pages.data() < data() || pages.data() + pages.size() > data() + size()) return Error{EINVAL, "mmap"};
  void* own = mmap(pages.data(), pages.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, offset);
  if (own == MAP_FAILED) {
    const Error error = last_error("mmap");
    // Older kernels have unmapped what was there by then.
    mmap(pages.data(), pages.size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, offset);
    return error;
  }
  given_away_.emplace(pages.data(), pages.size());
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  populate_for_writing(pages.data(), pages.size());
  for (size_t at = 0; at < pages.size(); at += page) {
    std::atomic_ref(reinterpret_cast<unsigned char&>(pages[at])).fetch_or(0);
  }
  return done();
}

Status Mapping::unmap() {
  const auto bytes = std::exchange(bytes_, {});
  const auto given_away = std::exchange(given_away_, {});
  guard_ = BusGuard();
  if (bytes.empty()) return done();
  Status outcome = done();
  const auto drop = [&](std::byte* from, std::byte* to) {
    if (from == to) return;
    if (auto dropped = check(munmap(from, to - from), "munmap"); !dropped) outcome = dropped;
  };
  std::byte* from = bytes.data();
  for (const auto& [part, length] : given_away) {
    drop(from, part);
    from = part + length;
  }
  drop(from, bytes.data() + bytes.size());
  return outcome;
}

}  // namespace mp::sys
