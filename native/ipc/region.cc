#include "ipc/region.h"

#include <fcntl.h>

#include <atomic>

#include "ipc/sem_record.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"

namespace mp::ipc {

namespace {

constexpr uint64_t kSignature = 0x0002'6d65'732d'706dull;       // "mp-sem", version 2
constexpr uint64_t kArenaSignature = 0x0001'6e72'612d'706dull;  // "mp-arn", version 1

// The record, the head of the table and its first entries.
constexpr int64_t kFirstPage = 4096;

}  // namespace

std::string semaphore_file(const std::string& name) { return "/sem." + name; }

sys::Result<SharedRegion> Region::arena(size_t bytes) {
  auto file = sys::make_memory_file("posix-multiprocessing arena");
  if (!file.ok()) return file.error();
  const size_t size = kObjectsOffset + bytes;
  if (const auto sized = sys::set_file_size(file.value().get(), static_cast<int64_t>(size)); !sized.ok()) {
    return sized.error();
  }
  auto mapping = sys::Mapping::shared(file.value().get(), size);
  if (!mapping.ok()) return mapping.error();
  auto region = std::make_shared<Region>(std::move(mapping).value(), 0, std::move(file).value());
  region->signature().store(kArenaSignature);
  return region;
}

sys::Result<SharedRegion> Region::open_arena(sys::UniqueFd file) {
  const auto size = sys::file_size(file.get());
  if (!size.ok()) return size.error();
  if (size.value() < static_cast<int64_t>(kObjectsOffset)) return sys::Error{EPROTO, "mmap"};
  auto mapping = sys::Mapping::shared(file.get(), static_cast<size_t>(size.value()));
  if (!mapping.ok()) return mapping.error();
  auto region = std::make_shared<Region>(std::move(mapping).value(), 0, std::move(file));
  if (region->signature().load() != kArenaSignature) return sys::Error{EPROTO, "mmap"};
  return region;
}

// What sem_open(3) does, in an order in which the file has its name last.
sys::Result<SharedRegion> Region::new_semaphore(mode_t mode, unsigned value) {
  auto file = sys::make_nameless_object(mode);
  if (!file.ok()) return sys::Error{file.error().number, "sem_open"};
  const int fd = file.value().get();
  // Where there is no space left, touching the memory would raise SIGBUS.
  if (const auto there = sys::reserve_file_space(fd, 0, kFirstPage); !there.ok()) return there.error();
  if (const auto sized = sys::set_file_size(fd, kSemaphoreFileBytes); !sized.ok()) return sized.error();
  auto region = over_semaphore(fd);
  if (!region.ok()) return region;
  if (sem_init(&region.value()->at<sem_t>(0), 1, value) == -1) return sys::last_error("sem_init");
  if (const auto adopted = region.value()->adopt(); !adopted.ok()) return adopted.error();
  region.value()->file_ = std::move(file).value();
  return region;
}

sys::Status Region::name(const std::string& name) {
  const auto named = sys::name_shared_memory(fd(), semaphore_file(name));
  if (!named.ok()) return sys::Error{named.error().number, "sem_open"};
  close_file();
  return sys::done();
}

sys::Result<SharedRegion> Region::open_semaphore(const std::string& name) {
  const auto file = sys::open_shared_memory(semaphore_file(name), O_RDWR, 0);
  if (!file.ok()) return file.error();
  const int fd = file.value().get();
  const auto size = sys::file_size(fd);
  if (!size.ok()) return size.error();
  if (size.value() < static_cast<int64_t>(sizeof(sem_t))) return sys::Error{EINVAL, "sem_open"};
  if (size.value() < static_cast<int64_t>(kSemaphoreFileBytes)) {
    if (const auto extended = sys::set_file_size(fd, kSemaphoreFileBytes); !extended.ok()) return extended.error();
  }
  auto region = over_semaphore(fd);
  if (!region.ok()) return region;
  if (const auto adopted = region.value()->adopt(); !adopted.ok()) return adopted.error();
  return region;
}

sys::Result<SharedRegion> Region::over_semaphore(int fd) {
  const auto inode = sys::file_inode(fd);
  if (!inode.ok()) return inode.error();
  auto mapping = sys::Mapping::shared(fd, kSemaphoreFileBytes);
  if (!mapping.ok()) return mapping.error();
  return std::make_shared<Region>(std::move(mapping).value(), inode.value());
}

sys::Status Region::adopt() const {
  if (!is_shared_semaphore(at<SemRecord>(0))) return sys::Error{EPROTO, "sem_open"};
  uint64_t found = 0;
  const bool fresh = signature().compare_exchange_strong(found, kSignature);
  if (!fresh && found != kSignature) return sys::Error{EPROTO, "sem_open"};
  return sys::done();
}

}  // namespace mp::ipc
