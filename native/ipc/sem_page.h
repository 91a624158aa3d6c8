// A named POSIX semaphore with what the library knows about it in the same page: one file, one name, one unlink.
//
//   offset  0  sem_t as glibc lays it out (sem_open makes the file /dev/shm/sem.<name> with nothing else in it)
//           0  uint64  value (low half: what waiters sleep on), number of waiters (high half)
//           8  int32   128: shared between processes
//          12  uint32  glibc: ignored. Here: the ProcessToken of the holder
//   offset 64  the library's record
//
// A C program's sem_open() sees the first 32 bytes and nothing of the rest. glibc can't change that layout: programs of
// different versions share such files. The holder's token lies where one 16-byte compare-and-exchange reaches it
// together with the value: a unit is never taken without a name on it, wherever the taker is killed.
#pragma once

#include <semaphore.h>
#include <sys/types.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "ipc/double_word.h"
#include "sys/mapping.h"
#include "sys/result.h"

namespace mp::ipc {

struct SemRecord {
  DoubleWord counts;
  std::byte rest_of_sem_t[16];
  std::byte unused[32];
  uint64_t signature;      // what this record is, and its version
  uint64_t pid_namespace;  // in which the tokens mean something; kMixedNamespaces when it is used from several
};

inline constexpr uint64_t kMixedNamespaces = UINT64_MAX;
// The page of the smallest page size; the file's first page holds sem_t, so extending it takes no space.
inline constexpr size_t kSemPageBytes = 4096;

static_assert(sizeof(sem_t) == 32 && offsetof(SemRecord, unused) == sizeof(sem_t));
static_assert(offsetof(SemRecord, signature) == 64 && sizeof(SemRecord) <= kSemPageBytes);
static_assert(std::endian::native == std::endian::little, "the halves of glibc's words");
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free);

class SemPage {
 public:
  // `name` is without a slash. EEXIST: there is one.
  static sys::Result<SemPage> create(const std::string& name, mode_t mode, unsigned value);
  // Also a semaphore that a C program has made. ENOENT: there is none. EINVAL: not a semaphore; EPROTO: of an unknown
  // layout.
  static sys::Result<SemPage> open(const std::string& name);

  SemRecord& record() const { return *reinterpret_cast<SemRecord*>(mapping_.data()); }
  // Names the file for as long as it exists.
  uint64_t inode() const { return inode_; }

 private:
  SemPage(sys::Mapping mapping, uint64_t inode) : mapping_(std::move(mapping)), inode_(inode) {}

  sys::Mapping mapping_;
  uint64_t inode_;
};

// glibc's name of the file, as shm_open(3) takes it.
std::string sem_page_file(const std::string& name);

}  // namespace mp::ipc
