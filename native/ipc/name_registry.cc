#include "ipc/name_registry.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "sys/descriptor.h"
#include "sys/file_lock.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"

namespace mp::ipc {

namespace {

constexpr uint64_t kSignature = 0x0001'7367'6572'706dull;  // "mpregs", version 1
constexpr size_t kSlotsOffset = 320;
// Away from the numbers that new programs get theirs at.
constexpr int kLeastDescriptor = 16;
constexpr uint32_t kFirstCapacity = 11;  // one page

enum State : uint32_t { kFree, kBeingWritten, kWritten };

bool stands_for(const std::string& file, uint64_t inode) {
  struct stat status;
  return stat(("/dev/shm" + file).c_str(), &status) == 0 && status.st_ino == inode;
}

}  // namespace

struct NameRegistry::Slot {
  uint32_t state;
  uint32_t unused;
  uint64_t inode;
  // '/', 255 bytes of a file name, NUL.
  std::array<char, 304> file;

  std::string name() const { return {file.data(), strnlen(file.data(), file.size())}; }
};

NameRegistry::Slot& NameRegistry::slot(uint32_t index) const {
  static_assert(sizeof(Slot) == 320);
  return reinterpret_cast<Slot*>(mapping_.data() + kSlotsOffset)[index];
}

uint32_t NameRegistry::capacity() const {
  return static_cast<uint32_t>((mapping_.size() - kSlotsOffset) / sizeof(Slot));
}

sys::Result<NameRegistry> NameRegistry::create() {
  const auto made = sys::make_nameless_object(0600);
  if (!made.ok()) return made.error();
  auto file = sys::duplicate(made.value().get(), kLeastDescriptor);
  if (!file.ok()) return file.error();
  const int fd = file.value().get();
  constexpr size_t kBytes = kSlotsOffset + kFirstCapacity * sizeof(Slot);
  // Where there is no space left, touching the memory would raise SIGBUS.
  if (const auto reserved = sys::reserve_file_space(fd, 0, kBytes); !reserved.ok()) return reserved.error();
  const auto inode = sys::file_inode(fd);
  const auto locked = sys::try_lock_byte(fd, kTreeLives);
  auto mapping = sys::Mapping::shared(fd, kBytes);
  if (!inode.ok()) return inode.error();
  if (!locked.ok()) return locked.error();
  if (!mapping.ok()) return mapping.error();
  std::atomic_ref(*reinterpret_cast<uint64_t*>(mapping.value().data())).store(kSignature);
  return NameRegistry(std::move(file).value(), std::move(mapping).value(), inode.value());
}

sys::Result<NameRegistry> NameRegistry::inherit(sys::UniqueFd fd) {
  auto own = sys::duplicate(fd.get(), kLeastDescriptor);  // close-on-exec, as the given one can't be
  if (!own.ok()) return own.error();
  return over(std::move(own).value());
}

sys::Result<NameRegistry> NameRegistry::open(const std::string& file) {
  auto opened = sys::open_shared_memory(file, O_RDWR, 0);
  if (!opened.ok()) return opened.error();
  return over(std::move(opened).value());
}

sys::Result<NameRegistry> NameRegistry::over(sys::UniqueFd opened) {
  const int fd = opened.get();
  const auto size = sys::file_size(fd);
  const auto inode = sys::file_inode(fd);
  if (!size.ok() || !inode.ok()) return size.ok() ? inode.error() : size.error();
  if (size.value() < static_cast<int64_t>(kSlotsOffset + sizeof(Slot))) return sys::Error{EPROTO, "shm_open"};
  auto mapping = sys::Mapping::shared(fd, static_cast<size_t>(size.value()));
  if (!mapping.ok()) return mapping.error();
  NameRegistry registry(std::move(opened), std::move(mapping).value(), inode.value());
  const auto& signature = *reinterpret_cast<const uint64_t*>(registry.mapping_.data());
  if (signature != kSignature) return sys::Error{EPROTO, "shm_open"};
  return registry;
}

sys::Status NameRegistry::publish(const std::string& file) const { return sys::name_shared_memory(fd(), file); }

sys::Status NameRegistry::refresh() {
  const auto size = sys::file_size(fd());
  if (!size.ok()) return size.error();
  const auto bytes = static_cast<size_t>(size.value());
  if (bytes <= mapping_.size()) return sys::done();
  auto mapping = sys::Mapping::shared(fd(), bytes);
  if (!mapping.ok()) return mapping.error();
  mapping_ = std::move(mapping).value();
  return sys::done();
}

sys::Status NameRegistry::grow() {
  const uint32_t before = capacity();
  if (const auto refreshed = refresh(); !refreshed.ok()) return refreshed.error();
  if (capacity() > before) return sys::done();
  // Never cuts what another process has made even longer meanwhile.
  const auto end = static_cast<int64_t>(mapping_.size());
  const auto more = static_cast<int64_t>(before) * static_cast<int64_t>(sizeof(Slot));
  if (const auto extended = sys::reserve_file_space(fd(), end, more); !extended.ok()) return extended.error();
  return refresh();
}

sys::Result<uint32_t> NameRegistry::add(const std::string& file, uint64_t inode) {
  if (file.size() >= sizeof(Slot::file)) return sys::Error{ENAMETOOLONG, "shm_open"};
  for (;;) {
    const uint32_t all = capacity();
    for (uint32_t tried = 0; tried < all; ++tried) {
      const uint32_t index = (hint_ + tried) % all;
      Slot& candidate = slot(index);
      uint32_t found = kFree;
      if (!std::atomic_ref(candidate.state).compare_exchange_strong(found, kBeingWritten)) continue;
      candidate.inode = inode;
      std::memcpy(candidate.file.data(), file.c_str(), file.size() + 1);
      std::atomic_ref(candidate.state).store(kWritten);
      hint_ = (index + 1) % all;
      return index;
    }
    hint_ = all;
    if (const auto grown = grow(); !grown.ok()) return grown.error();
  }
}

void NameRegistry::remove(const std::string& file, uint64_t inode, uint32_t hint) {
  const auto freed = [&](uint32_t index) {
    const std::atomic_ref state(slot(index).state);
    if (state.load() != kWritten || slot(index).inode != inode || slot(index).name() != file) return false;
    state.store(kFree);
    return true;
  };
  if (hint < capacity() && freed(hint)) return;
  static_cast<void>(refresh());
  for (uint32_t index = 0; index < capacity(); ++index) freed(index);
}

void NameRegistry::for_each_left(const std::function<void(const Entry&)>& visit) const {
  for (uint32_t index = 0; index < capacity(); ++index) {
    Slot& candidate = slot(index);
    if (std::atomic_ref(candidate.state).load() != kWritten) continue;
    const Entry entry{candidate.name(), candidate.inode};
    if (stands_for(entry.file, entry.inode)) visit(entry);
  }
}

void NameRegistry::remove_all(const std::string& own_file) const {
  for_each_left([](const Entry& entry) { remove_file_of(entry.file, entry.inode); });
  remove_file_of(own_file, inode_);
}

void remove_file_of(const std::string& file, uint64_t inode) {
  if (stands_for(file, inode)) static_cast<void>(sys::unlink_shared_memory(file));
}

}  // namespace mp::ipc
