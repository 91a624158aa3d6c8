#include "sys/mapping.h"

namespace mp::sys {

void populate_for_writing(void* address, size_t length) {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE; glibc 2.36's headers may lack it
  static_cast<void>(madvise(address, length, kPopulateWrite));
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
