#include "sys/mapping.h"

#include <unistd.h>

#include <cstring>

namespace mp::sys {

void populate_for_writing(void* address, size_t length) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE; glibc 2.36's headers may lack it
  static_cast<void>(madvise(address, length, kPopulateWrite));
}

namespace {

// The whole pages that hold the range.
std::span<std::byte> pages_of(std::span<uint8_t> range) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(range.data()) & ~(page - 1);
  const auto end = (reinterpret_cast<uintptr_t>(range.data() + range.size()) + page - 1) & ~(page - 1);
  return {reinterpret_cast<std::byte*>(first), end - first};
}

}  // namespace

Status make_private(std::span<uint8_t> range) {
  const auto pages = pages_of(range);
  void* own = mmap(nullptr, pages.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (own == MAP_FAILED) return last_error("mmap");
  populate_for_writing(own, pages.size());
  std::memcpy(own, pages.data(), pages.size());
  if (mremap(own, pages.size(), pages.size(), MREMAP_MAYMOVE | MREMAP_FIXED, pages.data()) != MAP_FAILED) return done();
  const Error error = last_error("mremap");
  munmap(own, pages.size());
  return error;
}

Status discard(std::span<uint8_t> range) {
  const auto pages = pages_of(range);
  return check(madvise(pages.data(), pages.size(), MADV_DONTNEED), "madvise");
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
  return *this;
}

Mapping::~Mapping() { static_cast<void>(unmap()); }

Status Mapping::sync(size_t offset, size_t length, int flags) const {
  if (offset > size() || length > size() - offset) return Error{ENOMEM, "msync"};
  return check(msync(data() + offset, length, flags), "msync");
}

Status Mapping::discard_writes() const { return check(madvise(data(), size(), MADV_DONTNEED), "madvise"); }

Status Mapping::unmap() {
  const auto bytes = std::exchange(bytes_, {});
  guard_ = BusGuard();
  if (bytes.empty()) return done();
  return check(munmap(bytes.data(), bytes.size()), "munmap");
}

}  // namespace mp::sys
