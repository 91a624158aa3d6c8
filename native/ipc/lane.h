// The two directions of a Pipe in shared memory. The socket between the ends stays what says that an end has gone, what
// carries descriptors and large messages, and what wakes who sleeps; everything else goes through the memory, without
// a system call. docs/lane.md explains the layout, the order, and what a death leaves.
//
//   put ──► tail [ record ][ record ] head ──► receive     a robust mutex at each end
//           a byte on the socket wakes a receiver that sleeps, one on the bell a sender that waits for room
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ipc/lane_layout.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/mapping.h"
#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::ipc {

// The memory of both directions. A forked child goes on with the copy of the object that it inherits.
class LaneFile {
 public:
  static sys::Result<std::shared_ptr<LaneFile>> create();
  // The one that another process has made. EPROTO: it is none, or another version's.
  static sys::Result<std::shared_ptr<LaneFile>> open(sys::UniqueFd memory);

  LaneHeader* header(uint32_t direction) const;
  uint8_t* at(uint32_t direction, uint64_t position) const;
  // Where the direction's bytes begin in the file.
  int64_t offset_of_bytes(uint32_t direction) const;
  int fd() const { return memory_.get(); }

 private:
  LaneFile(sys::UniqueFd memory, sys::Mapping mapping) : memory_(std::move(memory)), mapping_(std::move(mapping)) {}
  static sys::Result<std::shared_ptr<LaneFile>> map(sys::UniqueFd memory);

  sys::UniqueFd memory_;
  sys::Mapping mapping_;
};

enum class LanePut {
  kDone,
  kFull,
  kElsewhere,  // it has to go through the socket: begin_frame()
};

// The descriptors of one end. They stay the caller's.
struct LaneDescriptors {
  int socket;
  int bell;
};

// One direction, for its senders.
class LaneSender {
 public:
  using Bytes = std::span<const uint8_t>;

  LaneSender(std::shared_ptr<LaneFile> file, uint32_t direction) : file_(std::move(file)), direction_(direction) {}

  // Appends one message made of the parts. EPIPE: nobody can receive it any more. kFull, with `ask`: the bell will be
  // readable when it is worth another try.
  sys::Result<LanePut> put(std::span<const Bytes> parts, LaneDescriptors end, bool ask);
  // Writes the start of a message that goes through the socket, header and all: what is put from now on comes after it.
  // Descriptors go with `first`, and `second` comes later then. `more`: there is more than the two. How many bytes;
  // nothing where it would have to wait.
  sys::Result<sys::Moved> begin_frame(Bytes first, Bytes second, bool more, std::span<const int> descriptors,
                                      int socket);
  // The rest of a message has been written, of which begin_frame() had not written all.
  sys::Status end_frame(int socket);
  // From here on every message goes through the socket.
  void make_plain() { header()->state.fetch_or(kLanePlain, std::memory_order_acq_rel); }

 private:
  LaneHeader* header() const { return file_->header(direction_); }
  struct Place;
  std::optional<Place> place_for(uint64_t size) const;
  sys::Result<bool> ask_for_room(uint64_t size, int bell);
  sys::Result<LanePut> try_put(std::span<const Bytes> parts, uint64_t size, int socket);
  bool back(uint64_t end);
  bool must_wake() const;
  sys::Result<bool> wake(int socket);
  sys::Result<bool> has_receiver(int socket);

  std::shared_ptr<LaneFile> file_;
  uint32_t direction_;
  sys::Deadline looked_ = 0;  // when the receiver was there
  uint32_t leavings_ = 0;     // of the time before that
};

struct LaneReceived {
  enum class Kind {
    kNothing,   // until the socket is readable
    kMessage,   // whole, behind its header
    kLong,      // a message of `size` bytes, for which there was no room: take() it
    kOnSocket,  // the first `size` bytes of one, header and all; 0: the end of the stream
  };
  Kind kind;
  uint64_t size = 0;
};

// One direction, for its receivers.
class LaneReceiver {
 public:
  LaneReceiver(std::shared_ptr<LaneFile> file, uint32_t direction) : file_(std::move(file)), direction_(direction) {}

  // Takes the next message, wherever it comes from, into `buffer` with its header; waits for one until `deadline`.
  // `fds`: for descriptors that came along.
  sys::Result<LaneReceived> receive(LaneDescriptors end, std::span<uint8_t> buffer, std::vector<sys::UniqueFd>* fds,
                                    sys::Deadline deadline);
  // receive() that looks into the memory only.
  sys::Result<LaneReceived> take_frame(std::span<uint8_t> buffer, int bell);
  // Looks for up to so long without sleep; whether there is something in the memory.
  bool spin(int64_t nanoseconds) const;
  // Takes the next message of the memory; its size, which may be larger than the buffer: then it stays. Nothing: there
  // is none, or one on the socket comes first.
  sys::Result<std::optional<uint64_t>> take(std::span<uint8_t> buffer, int bell);
  // Whether receive() would have something; if not, the socket will be readable when it has. While another process has
  // read a part of a message: whether the socket is readable.
  sys::Result<bool> look(int socket);
  // A message of which receive() gave a part has come whole.
  void finish_frame() { header()->in_part.store(0, std::memory_order_release); }
  void make_plain() { header()->state.fetch_or(kLanePlain, std::memory_order_acq_rel); }
  // This end is closed here.
  void leave() { header()->leavings.fetch_add(1, std::memory_order_release); }

 private:
  LaneHeader* header() const { return file_->header(direction_); }
  LaneRecord record_at(uint64_t position) const;
  struct Oldest {
    uint64_t position;
    LaneRecord record;
  };
  // Only with one of the mutexes held: else it might be overwritten meanwhile.
  std::optional<Oldest> oldest() const;
  bool is_due(const Oldest& oldest) const;
  bool has_message() const;
  void settle() const;
  void wake_sender(uint64_t head, int bell) const;
  sys::Result<std::optional<LaneReceived>> receive_from_socket(int socket, std::span<uint8_t> buffer,
                                                               std::vector<sys::UniqueFd>* fds);

  std::shared_ptr<LaneFile> file_;
  uint32_t direction_;
};

}  // namespace mp::ipc
