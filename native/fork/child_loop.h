// What a forked child does to the event loop it inherited, beyond uv_loop_fork().
#pragma once

#include <uv.h>

#include <span>
#include <utility>
#include <vector>

#include "sys/result.h"
#include "sys/unique_fd.h"

namespace mp::fork {

// What takes the place of the parent's descriptors in the child: a socket that is never readable, never writable and
// never at its end, so that no event of the parent's connections happens there, and /dev/null. Made before the fork: it
// may fail.
class StandIns {
 public:
  static sys::Result<StandIns> create();

  int quiet_socket() const { return quiet_.get(); }
  int null() const { return null_.get(); }

  // The other end of the quiet socket, to be kept open as long as that stands in for others.
  sys::UniqueFd take_peer() { return std::move(peer_); }

 private:
  StandIns(sys::UniqueFd quiet, sys::UniqueFd peer, sys::UniqueFd null)
      : quiet_(std::move(quiet)), peer_(std::move(peer)), null_(std::move(null)) {}
  sys::UniqueFd quiet_;
  sys::UniqueFd peer_;
  sys::UniqueFd null_;
};

// Before uv_loop_fork: puts the quiet socket over the descriptor of every socket, pipe, terminal reader and poll handle
// of the loop that is not in `keep`, and lets none of them keep the child alive. Standard input becomes /dev/null, as
// Python has it; standard output and error stay.
void quiet_descriptors(uv_loop_t* loop, const StandIns& stand_ins, std::span<const int32_t> keep);

// Which of the descriptors 0, 1, 2 a stream of the loop works on.
std::vector<int> standard_streams(uv_loop_t* loop);

// Before uv_loop_fork, which overlooks watchers whose change of mind is yet to reach epoll (a write that has just begun
// to wait): they would be modified in a new epoll set that doesn't have them, and libuv aborts.
void forget_registrations(uv_loop_t* loop);

// After uv_loop_fork: stops file watchers, forgets the parent's child processes, every request and every handle being
// closed: no callback of theirs runs here.
void forget_parents_work(uv_loop_t* loop);

// Stops the timers of DNS queries under way; true if there are any. Their sockets are quiet: who goes on to use the
// same resolver waits for answers in vain.
bool forget_dns_queries(uv_loop_t* loop);

// uv_loop_fork clears the pending flag of every uv_async_t and with it the wake-ups that were on their way: these are
// collected before it and sent again after it. The others must not be sent: one of Node's own opens the inspector.
// Nor those with the callback `except`, if there is one: see newest_wakeup_callback().
std::vector<uv_async_t*> pending_wakeups(uv_loop_t* loop, uv_async_cb except);

// The callback of the uv_async_t that was made last. That of a MessagePort just made is the one of every MessagePort:
// what one of the parent's was about to deliver is not for the child.
uv_async_cb newest_wakeup_callback(uv_loop_t* loop);

}  // namespace mp::fork
