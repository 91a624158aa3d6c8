#include <cerrno>
#include <new>

#include "ipc/lane.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/resource_limits.h"
#include "sys/robust_mutex.h"

namespace mp::ipc {

namespace {

constexpr uint64_t kFileSize = 2 * (kLanePage + kLaneCapacity);

}  // namespace

LaneHeader* LaneFile::header(uint32_t direction) const {
  return reinterpret_cast<LaneHeader*>(mapping_.data() + direction * kLanePage);
}

int64_t LaneFile::offset_of_bytes(uint32_t direction) const {
  return static_cast<int64_t>(2 * kLanePage + direction * kLaneCapacity);
}

uint8_t* LaneFile::at(uint32_t direction, uint64_t position) const {
  return reinterpret_cast<uint8_t*>(mapping_.data()) + offset_of_bytes(direction) + position % kLaneCapacity;
}

sys::Result<std::shared_ptr<LaneFile>> LaneFile::map(sys::UniqueFd memory) {
  auto mapping = sys::Mapping::create(memory.get(), kFileSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
  if (!mapping) return mapping.error();
  return std::shared_ptr<LaneFile>(new LaneFile(std::move(memory), std::move(mapping).value()));
}

sys::Result<std::shared_ptr<LaneFile>> LaneFile::create() {
  // Beyond this limit ftruncate(2) is a signal.
  const auto limit = sys::resource_limits(RLIMIT_FSIZE);
  if (!limit) return limit.error();
  if (limit.value().rlim_cur < kFileSize) return sys::Error{EFBIG, "ftruncate"};
  auto memory = sys::make_memory_file("posix-multiprocessing pipe");
  if (!memory) return memory.error();
  const int fd = memory.value().get();
  if (auto sized = sys::set_file_size(fd, kFileSize); !sized) return sized.error();
  if (auto there = sys::reserve_file_space(fd, 0, 2 * kLanePage); !there) return there.error();
  auto file = map(std::move(memory).value());
  if (!file) return file.error();
  for (const uint32_t direction : {0, 1}) {
    auto* header = new (file.value()->header(direction)) LaneHeader{};
    header->magic = kLaneMagic;
    header->version = kLaneVersion;
    header->asked = 1;  // who is to receive may sleep already
    for (pthread_mutex_t* mutex : {&header->tail_mutex, &header->head_mutex}) {
      if (auto made = sys::init_robust_mutex(mutex); !made) return made.error();
    }
  }
  return file;
}

sys::Result<std::shared_ptr<LaneFile>> LaneFile::open(sys::UniqueFd memory) {
  const auto size = sys::file_size(memory.get());
  if (!size) return size.error();
  if (size.value() != static_cast<int64_t>(kFileSize)) return sys::Error{EPROTO, "mmap"};
  auto file = map(std::move(memory));
  if (!file) return file.error();
  const LaneHeader* header = file.value()->header(0);
  if (header->magic != kLaneMagic || header->version != kLaneVersion) return sys::Error{EPROTO, "mmap"};
  return file;
}

}  // namespace mp::ipc
