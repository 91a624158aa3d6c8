#include "fork/child_loop.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace mp::fork {

namespace {

// Filled to the brim it is never writable: a write that the parent had pending stays pending.
void fill(int socket) {
  const int smallest = 1;
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest));
  const char filler[4096] = {};
  while (write(socket, filler, sizeof(filler)) > 0) {
  }
  while (write(socket, filler, 1) > 0) {
  }
}

}  // namespace

sys::Result<StandIns> StandIns::create() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return sys::last_error("socketpair");
  }
  StandIns made{sys::UniqueFd(ends[0]), sys::UniqueFd(ends[1]), sys::UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC))};
  if (made.null() < 0) return sys::last_error("open");
  fill(made.quiet_socket());
  return made;
}

namespace {

struct Quieting {
  const StandIns& stand_ins;
  std::span<const int32_t> keep;
};

bool may_bring_events(const uv_handle_t* handle) {
  switch (handle->type) {
    case UV_TCP:
    case UV_NAMED_PIPE:
    case UV_UDP:
    case UV_POLL:
      return true;
    case UV_TTY:
      // An idle one is standard output, and stays; a reader would take the parent's input.
      return uv_is_active(handle) != 0;
    default:
      return false;
  }
}

// libuv's intrusive list node: two pointers in every version of 1.x (src/queue.h).
struct Link {
  Link* next;
  Link* previous;
};

// Each by itself: one of them may be unlinked later, by its owner's end, and must not write to the others then.
void unlink_all(void* list) {
  auto* head = static_cast<Link*>(list);
  for (Link* link = head->next; link != head;) {
    Link* next = link->next;
    link->next = link->previous = link;
    link = next;
  }
  head->next = head->previous = head;
}

bool is_stream(const uv_handle_t* handle) {
  return handle->type == UV_NAMED_PIPE || handle->type == UV_TCP || handle->type == UV_TTY;
}

// The parent writes what is queued here; a child that did so too would print it twice. Nor do the parent's callbacks
// run.
void drop_requests(uv_stream_t* stream) {
  unlink_all(&stream->write_queue);
  unlink_all(&stream->write_completed_queue);
  stream->write_queue_size = 0;
  stream->connect_req = nullptr;
  stream->shutdown_req = nullptr;
}

void drop_requests(uv_udp_t* socket) {
  unlink_all(&socket->write_queue);
  unlink_all(&socket->write_completed_queue);
  socket->send_queue_size = 0;
  socket->send_queue_count = 0;
}

void quiet(uv_handle_t* handle, const Quieting& quieting) {
  int fd = -1;
  if (!may_bring_events(handle) || uv_fileno(handle, &fd) != 0) return;
  if (std::find(quieting.keep.begin(), quieting.keep.end(), fd) != quieting.keep.end()) return;
  uv_unref(handle);
  if (fd == STDIN_FILENO && is_stream(handle)) {
    uv_read_stop(reinterpret_cast<uv_stream_t*>(handle));
  } else if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
    dup3(quieting.stand_ins.quiet_socket(), fd, O_CLOEXEC);
  }
}

}  // namespace

std::vector<int> standard_streams(uv_loop_t* loop) {
  std::vector<int> found;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* argument) {
        int fd = -1;
        if (is_stream(handle) && uv_fileno(handle, &fd) == 0 && fd <= STDERR_FILENO) {
          static_cast<std::vector<int>*>(argument)->push_back(fd);
        }
      },
      &found);
  return found;
}

void quiet_descriptors(uv_loop_t* loop, const StandIns& stand_ins, std::span<const int32_t> keep) {
  Quieting quieting{stand_ins, keep};
  uv_walk(
      loop, [](uv_handle_t* handle, void* argument) { quiet(handle, *static_cast<const Quieting*>(argument)); },
      &quieting);
  dup3(stand_ins.null(), STDIN_FILENO, 0);
}

void forget_registrations(uv_loop_t* loop) {
  for (unsigned int fd = 0; fd < loop->nwatchers; ++fd) {
    if (loop->watchers[fd] != nullptr) loop->watchers[fd]->events = 0;
  }
}

namespace {

// c-ares asks again, and in the end reports that nobody has answered, from a timer of its own.
bool waits_for_dns(const uv_timer_t* timer) {
  static const auto ask_again = reinterpret_cast<uv_timer_cb>(
      dlsym(RTLD_DEFAULT, "_ZN4node10cares_wrap11ChannelWrap11AresTimeoutEP10uv_timer_s"));
  return ask_again != nullptr && timer->timer_cb == ask_again &&
         uv_is_active(reinterpret_cast<const uv_handle_t*>(timer));
}

}  // namespace

bool forget_dns_queries(uv_loop_t* loop) {
  bool found = false;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* found) {
        auto* timer = reinterpret_cast<uv_timer_t*>(handle);
        if (handle->type != UV_TIMER || !waits_for_dns(timer)) return;
        uv_timer_stop(timer);
        *static_cast<bool*>(found) = true;
      },
      &found);
  return found;
}

void forget_parents_work(uv_loop_t* loop) {
  uv_walk(
      loop,
      [](uv_handle_t* handle, void*) {
        // Not before uv_loop_fork: until then the inotify descriptor is the parent's too.
        if (handle->type == UV_FS_EVENT) uv_fs_event_stop(reinterpret_cast<uv_fs_event_t*>(handle));
        if (handle->type == UV_FS_POLL) uv_fs_poll_stop(reinterpret_cast<uv_fs_poll_t*>(handle));
        if (handle->type == UV_PROCESS) uv_unref(handle);
        if (handle->type == UV_UDP) drop_requests(reinterpret_cast<uv_udp_t*>(handle));
        if (is_stream(handle)) drop_requests(reinterpret_cast<uv_stream_t*>(handle));
      },
      nullptr);
  // libuv would waitpid() for them, get ECHILD and report ends that never happened.
  unlink_all(&loop->process_handles);
  // Results of the pool's, completions of writes, 'close' events: all on their way to listeners of the parent's.
  unlink_all(&loop->wq);
  unlink_all(&loop->pending_queue);
  loop->closing_handles = nullptr;
  loop->active_reqs.count = 0;
}

std::vector<uv_async_t*> pending_wakeups(uv_loop_t* loop, uv_async_cb except) {
  struct Search {
    uv_async_cb except;
    std::vector<uv_async_t*> pending;
  } search{except, {}};
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* argument) {
        if (handle->type != UV_ASYNC || uv_is_closing(handle)) return;
        auto* async = reinterpret_cast<uv_async_t*>(handle);
        auto& [except, pending] = *static_cast<Search*>(argument);
        if (async->pending != 0 && (except == nullptr || async->async_cb != except)) pending.push_back(async);
      },
      &search);
  return search.pending;
}

uv_async_cb newest_wakeup_callback(uv_loop_t* loop) {
  uv_async_cb newest = nullptr;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* found) {
        if (handle->type == UV_ASYNC) {
          *static_cast<uv_async_cb*>(found) = reinterpret_cast<uv_async_t*>(handle)->async_cb;
        }
      },
      &newest);
  return newest;
}

}  // namespace mp::fork
