// The names in /dev/shm that go with a tree of processes: a file there that all of them have open, inherited. A lock on
// its first byte is the tree's life: it belongs to the open file, so the kernel drops it with the last of them, however
// they end. Then a tracker, which waits for that, removes what is written here.
//
//   offset    0  signature
//   offset  320  slots of 320 bytes: state, inode, name
//
// A name is written before it is given to its file, whose inode is known by then: who is killed in between leaves
// nothing that could be taken for somebody else's. A name that stands for another inode by the end is not touched.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "sys/mapping.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

// What is locked of a registry's file.
inline constexpr int64_t kTreeLives = 0;
inline constexpr int64_t kTrackerLives = 1;

class NameRegistry {
 public:
  // A new one; the caller and who inherits its descriptor are the tree. It has no name yet.
  static sys::Result<NameRegistry> create();
  // Of the caller's tree, by a descriptor that it was given; it belongs to the registry from here on. EPROTO: no
  // registry.
  static sys::Result<NameRegistry> inherit(sys::UniqueFd fd);
  // Of another tree, by its file ('/name'). EPROTO: no registry.
  static sys::Result<NameRegistry> open(const std::string& file);

  int fd() const { return fd_.get(); }
  // The descriptor stays open until the process ends: a Worker's registry outlives the Worker, as its names do.
  void leave_open() { static_cast<void>(fd_.release()); }
  uint64_t inode() const { return inode_; }

  // Appears as that file. EEXIST.
  sys::Status publish(const std::string& file) const;

  // Writes a name down; the number of its slot.
  sys::Result<uint32_t> add(const std::string& file, uint64_t inode);
  // The name shall stay, or is gone. `slot` is where add() wrote it, kUnknownSlot if another process of the tree did.
  void remove(const std::string& file, uint64_t inode, uint32_t slot);
  static constexpr uint32_t kUnknownSlot = UINT32_MAX;

  // Maps what others have added to the file since: before for_each_left() and remove_all().
  sys::Status refresh();

  struct Entry {
    std::string file;
    uint64_t inode;
  };
  // Those that still stand for the same object.
  void for_each_left(const std::function<void(const Entry&)>& visit) const;
  // Removes these, and the registry's own file.
  void remove_all(const std::string& own_file) const;

 private:
  struct Slot;

  NameRegistry(sys::UniqueFd fd, sys::Mapping mapping, uint64_t inode)
      : fd_(std::move(fd)), mapping_(std::move(mapping)), inode_(inode) {}

  static sys::Result<NameRegistry> over(sys::UniqueFd fd);

  uint32_t capacity() const;
  Slot& slot(uint32_t index) const;
  // Makes room for more slots, unless another process has.
  sys::Status grow();

  sys::UniqueFd fd_;
  sys::Mapping mapping_;
  uint64_t inode_;
  uint32_t hint_ = 0;
};

// Removes the file if it still stands for that inode.
void remove_file_of(const std::string& file, uint64_t inode);

}  // namespace mp::ipc
