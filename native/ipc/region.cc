#include "ipc/region.h"

#include <fcntl.h>

#include <atomic>

#include "ipc/sem_record.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/semaphore.h"

namespace mp::ipc {

namespace {

constexpr uint64_t kSignature = 0x0002'6d65'732d'706dull;       // "mp-sem", version 2
constexpr uint64_t kArenaSignature = 0x0001'6e72'612d'706dull;  // "mp-arn", version 1

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

sys::Result<SharedRegion> Region::create_semaphore(const std::string& name, mode_t mode, unsigned value) {
  const auto made = sys::Semaphore::open("/" + name, O_CREAT | O_EXCL, mode, value);
  if (!made.ok()) return made.error();
  auto region = open_semaphore(name);
  // ENOENT: somebody has unlinked it meanwhile; the next of that name is not ours to remove.
  if (!region.ok() && region.error().number != ENOENT) static_cast<void>(sys::unlink_semaphore("/" + name));
  return region;
}

sys::Result<SharedRegion> Region::open_semaphore(const std::string& name) {
  const auto file = sys::open_shared_memory(semaphore_file(name), O_RDWR, 0);
  if (!file.ok()) return file.error();
  const int fd = file.value().get();
  const auto size = sys::file_size(fd);
  const auto inode = sys::file_inode(fd);
  if (!size.ok() || !inode.ok()) return size.ok() ? inode.error() : size.error();
  if (size.value() < static_cast<int64_t>(sizeof(sem_t))) return sys::Error{EINVAL, "sem_open"};
  if (size.value() < static_cast<int64_t>(kSemaphoreFileBytes)) {
    if (const auto extended = sys::set_file_size(fd, kSemaphoreFileBytes); !extended.ok()) return extended.error();
  }
  auto mapping = sys::Mapping::shared(fd, kSemaphoreFileBytes);
  if (!mapping.ok()) return mapping.error();
  auto region = std::make_shared<Region>(std::move(mapping).value(), inode.value());
  if (const auto adopted = region->adopt(); !adopted.ok()) return adopted.error();
  return region;
}

sys::Status Region::adopt() const {
  if (!is_shared_semaphore(at<SemRecord>(0))) return sys::Error{EPROTO, "sem_open"};
  uint64_t found = 0;
  const bool fresh = signature().compare_exchange_strong(found, kSignature);
  if (!fresh && found != kSignature) return sys::Error{EPROTO, "sem_open"};
  return sys::done();
}

}  // namespace mp::ipc
