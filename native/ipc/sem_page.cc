#include "ipc/sem_page.h"

#include <fcntl.h>

#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/process_status.h"
#include "sys/semaphore.h"

namespace mp::ipc {

namespace {

constexpr uint64_t kSignature = 0x0001'6d65'732d'706dull;  // "mp-sem", version 1
constexpr int32_t kSharedSemaphore = 128;                     // glibc: FUTEX_SHARED

// The new value when it was `unset`, else what it was: whoever comes first sets it.
uint64_t set_once(uint64_t& word, uint64_t value) {
  uint64_t found = 0;
  return std::atomic_ref(word).compare_exchange_strong(found, value) ? value : found;
}

// A process of another PID namespace can't tell whether a holder lives: from now on nobody takes over from anybody.
// It says so before it takes a unit for the first time.
sys::Status join_namespace(SemRecord& record) {
  const auto own = sys::pid_namespace();
  if (!own.ok()) return own.error();
  if (set_once(record.pid_namespace, own.value()) != own.value()) {
    std::atomic_ref(record.pid_namespace).store(kMixedNamespaces);
  }
  return sys::done();
}

sys::Status adopt(SemRecord& record) {
  if (static_cast<int32_t>(load_halves(record.counts).high) != kSharedSemaphore) return sys::Error{EPROTO, "sem_open"};
  if (set_once(record.signature, kSignature) != kSignature) return sys::Error{EPROTO, "sem_open"};
  return join_namespace(record);
}

}  // namespace

std::string sem_page_file(const std::string& name) { return "/sem." + name; }

sys::Result<SemPage> SemPage::create(const std::string& name, mode_t mode, unsigned value) {
  const auto made = sys::Semaphore::open("/" + name, O_CREAT | O_EXCL, mode, value);
  if (!made.ok()) return made.error();
  auto page = open(name);
  // ENOENT: somebody has unlinked it meanwhile; the next of that name is not ours to remove.
  if (!page.ok() && page.error().number != ENOENT) static_cast<void>(sys::unlink_semaphore("/" + name));
  return page;
}

sys::Result<SemPage> SemPage::open(const std::string& name) {
  const auto file = sys::open_shared_memory(sem_page_file(name), O_RDWR, 0);
  if (!file.ok()) return file.error();
  const int fd = file.value().get();
  const auto size = sys::file_size(fd);
  const auto inode = sys::file_inode(fd);
  if (!size.ok() || !inode.ok()) return size.ok() ? inode.error() : size.error();
  if (size.value() < static_cast<int64_t>(sizeof(sem_t))) return sys::Error{EINVAL, "sem_open"};
  if (size.value() < static_cast<int64_t>(kSemPageBytes)) {
    if (const auto extended = sys::set_file_size(fd, kSemPageBytes); !extended.ok()) return extended.error();
  }
  auto mapping = sys::Mapping::shared(fd, kSemPageBytes);
  if (!mapping.ok()) return mapping.error();
  SemPage page(std::move(mapping).value(), inode.value());
  if (const auto adopted = adopt(page.record()); !adopted.ok()) return adopted.error();
  return page;
}

}  // namespace mp::ipc
