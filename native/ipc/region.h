// Shared memory with a table of its processes: a named POSIX semaphore's file, or an arena without a name for many
// small objects.
//
//   offset      0  sem_t as glibc lays it out (sem_open makes the file /dev/shm/sem.<name> with nothing else in it);
//   see
//                  sem_record.h. Unused in an arena
//   offset     64  the signature, then the table of processes
//   offset kObjectsOffset  what else belongs to the semaphore; in an arena the objects
//
// A C program's sem_open() sees the first 32 bytes and nothing of the rest. Files are sparse: of the table only the
// pages that have entries take space.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "ipc/patience.h"
#include "ipc/process_table.h"
#include "sys/mapping.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

inline constexpr size_t kHeaderOffset = 64;
inline constexpr size_t kObjectsOffset = 68 * 1024;
// Of a semaphore's file: room for what a semaphore can have besides.
inline constexpr size_t kSemaphoreFileBytes = kObjectsOffset + 36 * 1024;

class Region {
 public:
  // An arena of `bytes` for objects, all zero.
  static sys::Result<std::shared_ptr<Region>> arena(size_t bytes);
  // Another process's arena, by a copy of its descriptor, which belongs to the region from here on. EPROTO: no arena.
  static sys::Result<std::shared_ptr<Region>> open_arena(sys::UniqueFd file);
  // A new semaphore that nobody can find before it is named.
  static sys::Result<std::shared_ptr<Region>> new_semaphore(mode_t mode, unsigned value);
  // Gives a new semaphore its name, without a slash: others see it whole, or not at all. EEXIST: there is one.
  sys::Status name(const std::string& name);
  // Also one that a C program has made. ENOENT: there is none. EINVAL: not a semaphore; EPROTO: of an unknown layout.
  static sys::Result<std::shared_ptr<Region>> open_semaphore(const std::string& name);

  // `file` stays open in an arena, for other processes to have it by, and in a semaphore until it is named.
  Region(sys::Mapping mapping, uint64_t inode, sys::UniqueFd file = {})
      : mapping_(std::move(mapping)), inode_(inode), file_(std::move(file)) {}

  ProcessTable& processes() const { return at<Header>(kHeaderOffset).processes; }
  template <typename T>
  T& at(size_t offset) const {
    return *reinterpret_cast<T*>(mapping_.data() + offset);
  }
  std::byte* data() const { return mapping_.data(); }
  size_t size() const { return mapping_.size(); }
  // Of the threads of this process that wait for something in here.
  Patience& patience() const { return patience_; }
  // Names a semaphore's file for as long as it exists; 0 in an arena.
  uint64_t inode() const { return inode_; }
  // Of an arena, or a new semaphore; it stays the region's. The memory does not need it.
  int fd() const { return file_.get(); }
  void close_file() { file_.reset(); }

 private:
  struct Header {
    uint64_t signature;  // what this is, and its version
    std::byte unused[56];
    ProcessTable processes;
  };
  static_assert(kHeaderOffset + sizeof(Header) <= kObjectsOffset);

  std::atomic_ref<uint64_t> signature() const { return std::atomic_ref(at<Header>(kHeaderOffset).signature); }
  static sys::Result<std::shared_ptr<Region>> over_semaphore(int fd);
  sys::Status adopt() const;

  sys::Mapping mapping_;
  uint64_t inode_;
  sys::UniqueFd file_;
  mutable Patience patience_;
};

using SharedRegion = std::shared_ptr<Region>;

// glibc's name of the file, as shm_open(3) takes it.
std::string semaphore_file(const std::string& name);

}  // namespace mp::ipc
