// What a ring is made of, and how another process gets it.
#include <sys/eventfd.h>

#include <cerrno>
#include <new>

#include "ipc/ring.h"
#include "sys/event_fd.h"
#include "sys/file_size.h"
#include "sys/memory_object.h"
#include "sys/socket_pair.h"

namespace mp::ipc {

namespace {

// One that is read, one that is written, and one for a message that is too long for them.
constexpr uint64_t kFewestSegments = 5;

}  // namespace

sys::Result<sys::Mapping> Ring::map(const sys::UniqueFd& memory, uint64_t size) {
  return sys::Mapping::create(memory.get(), size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
}

sys::Status Ring::map_anew() {
  auto mapping = map(files_.memory, mapping_->size());
  if (!mapping) return mapping.error();
  mapping_ = std::make_shared<sys::Mapping>(std::move(mapping).value());
  return sys::done();
}

sys::Result<Ring> Ring::create(uint64_t capacity, uint64_t max_count) {
  if (capacity == 0 || capacity % kRingPage != 0) return sys::Error{EINVAL, "mmap"};
  const RingShape shape = RingSegments::shape_for(capacity);
  if (shape.segment_count < kFewestSegments) return sys::Error{EINVAL, "mmap"};
  const auto length = static_cast<int64_t>(RingSegments::file_size(shape));

  RingFiles files;
  auto memory = sys::make_memory_file("posix-multiprocessing queue");
  if (!memory) return memory.error();
  files.memory = std::move(memory).value();
  if (auto sized = sys::set_file_size(files.memory.get(), length); !sized) return sized.error();
  for (sys::UniqueFd* bell : {&files.items_bell, &files.space_bell, &files.done_bell}) {
    auto made = sys::make_event_fd(0, EFD_NONBLOCK);
    if (!made) return made.error();
    *bell = std::move(made).value();
  }
  auto mailbox = sys::make_packet_pair();
  if (!mailbox) return mailbox.error();
  files.mail_in = std::move(mailbox.value().first);
  files.mail_out = std::move(mailbox.value().second);

  auto mapping = map(files.memory, static_cast<uint64_t>(length));
  if (!mapping) return mapping.error();
  Ring ring(std::move(files), std::move(mapping).value());
  // The tables with it: they are looked at without asking for memory first.
  if (auto there = sys::reserve_file_space(ring.files_.memory.get(), 0, static_cast<int64_t>(shape.segments)); !there) {
    return there.error();
  }
  auto* header = new (ring.mapping_->data()) RingHeader{};
  header->magic = kRingMagic;
  header->version = kRingVersion;
  header->shape = shape;
  header->max_count = max_count;
  for (pthread_mutex_t* mutex : {&header->tail.mutex, &header->head.mutex, &header->done.mutex, &header->space.mutex}) {
    if (auto made = sys::init_robust_mutex(mutex); !made) return made.error();
  }
  auto first = ring.take_segments(1);
  if (!first) return first.error();
  for (RingEnd* end : {&header->tail, &header->head}) end->positions[0] = position_of(first.value()->first, 0);
  return ring;
}

sys::Result<Ring> Ring::open(RingFiles files) {
  const auto length = sys::file_size(files.memory.get());
  if (!length) return length.error();
  if (length.value() < static_cast<int64_t>(sizeof(RingHeader))) return sys::Error{EPROTO, "mmap"};
  auto mapping = map(files.memory, static_cast<uint64_t>(length.value()));
  if (!mapping) return mapping.error();
  Ring ring(std::move(files), std::move(mapping).value());
  const RingHeader* header = ring.header();
  const bool is_ring = header->magic == kRingMagic && header->version == kRingVersion &&
                       RingSegments::file_size(header->shape) == static_cast<uint64_t>(length.value());
  if (!is_ring) return sys::Error{EPROTO, "mmap"};
  return ring;
}

}  // namespace mp::ipc
