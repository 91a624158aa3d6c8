// Descriptors: pipe, socketpair, eventfd, read, write, close, dup, poll, and descriptors through sockets.
#include <napi.h>

#include <vector>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/descriptor.h"
#include "sys/event_fd.h"
#include "sys/pipe.h"
#include "sys/poll_wait.h"
#include "sys/scm_rights.h"
#include "sys/socket_pair.h"

namespace mp::binding {

namespace {

// The bytes of argument `index` from offset `index + 1`, as many as `index + 2` says; never past the array's end.
std::span<uint8_t> slice_arg(const Napi::CallbackInfo& info, size_t index) {
  const std::span<uint8_t> bytes = bytes_arg(info, index);
  const double offset = number_arg(info, index + 1);
  const double length = number_arg(info, index + 2);
  if (!(offset >= 0 && length >= 0 && offset + length <= static_cast<double>(bytes.size()))) {
    throw Napi::RangeError::New(info.Env(), "slice out of bounds");
  }
  return bytes.subspan(static_cast<size_t>(offset), static_cast<size_t>(length));
}

// The caller becomes the owner of a pair of descriptors: [first, second].
Napi::Value pair_of(Napi::Env env, sys::UniqueFd first, sys::UniqueFd second) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, Napi::Number::New(env, first.release()));
  pair.Set(1u, Napi::Number::New(env, second.release()));
  return pair;
}

// undefined where the call would have to wait.
Napi::Value to_js(Napi::Env env, const sys::Moved& moved) {
  return moved ? Napi::Number::New(env, static_cast<double>(*moved)) : env.Undefined();
}

// pipe(): [readEnd, writeEnd]
Napi::Value Pipe(const Napi::CallbackInfo& info) {
  sys::PipeEnds ends = unwrap(info.Env(), sys::make_pipe());
  return pair_of(info.Env(), std::move(ends.read_end), std::move(ends.write_end));
}

// socketpair(): [first, second]
Napi::Value Socketpair(const Napi::CallbackInfo& info) {
  sys::SocketPair sockets = unwrap(info.Env(), sys::make_socket_pair());
  return pair_of(info.Env(), std::move(sockets.first), std::move(sockets.second));
}

// eventfd(initial: number, flags: number): number
Napi::Value Eventfd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           unwrap(info.Env(), sys::make_event_fd(uint_arg(info, 0), int_arg(info, 1))).release());
}

// read(fd: number, bytes: Uint8Array, offset: number, length: number): number | undefined
Napi::Value Read(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), unwrap(info.Env(), sys::read_some(int_arg(info, 0), slice_arg(info, 1))));
}

// write(fd: number, bytes: Uint8Array, offset: number, length: number): number | undefined
Napi::Value Write(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), unwrap(info.Env(), sys::write_some(int_arg(info, 0), slice_arg(info, 1))));
}

// send(socket: number, bytes: Uint8Array, offset: number, length: number): number | undefined
Napi::Value Send(const Napi::CallbackInfo& info) {
  return to_js(info.Env(), unwrap(info.Env(), sys::send_some(int_arg(info, 0), slice_arg(info, 1))));
}

// closeFd(fd: number)
Napi::Value CloseFd(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::close_descriptor(int_arg(info, 0)));
}

// dup(fd: number): number
Napi::Value Dup(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::duplicate(int_arg(info, 0))).release());
}

// dupOnto(fd: number, target: number, closeOnExec: boolean)
Napi::Value DupOnto(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::duplicate_onto(int_arg(info, 0), int_arg(info, 1), bool_arg(info, 2)));
}

// setNonblocking(fd: number, nonblocking: boolean)
Napi::Value SetNonblocking(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_nonblocking(int_arg(info, 0), bool_arg(info, 1)));
}

// isSocket(fd: number): boolean
Napi::Value IsSocket(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), unwrap(info.Env(), sys::is_socket(int_arg(info, 0))));
}

// poll(triples: Int32Array, milliseconds: number): number; [fd, events, revents, fd, …], the third of each is written
Napi::Value Poll(const Napi::CallbackInfo& info) {
  const std::span<int32_t> triples = ints_arg(info, 0);
  std::vector<pollfd> fds(triples.size() / 3);
  for (size_t i = 0; i < fds.size(); ++i) {
    fds[i] = {.fd = triples[3 * i], .events = static_cast<short>(triples[3 * i + 1]), .revents = 0};
  }
  const int ready = unwrap(info.Env(), sys::poll_until(fds, sys::deadline_after(number_arg(info, 1))));
  for (size_t i = 0; i < fds.size(); ++i) triples[3 * i + 2] = fds[i].revents;
  return Napi::Number::New(info.Env(), ready);
}

// sendFds(socket: number, fds: Int32Array, bytes: Uint8Array): number | undefined
Napi::Value SendFds(const Napi::CallbackInfo& info) {
  return to_js(info.Env(),
               unwrap(info.Env(), sys::send_descriptors(int_arg(info, 0), ints_arg(info, 1), bytes_arg(info, 2))));
}

// recvFds(socket: number, maxFds: number, bytes: Uint8Array): { bytes, fds, truncated } | undefined
Napi::Value RecvFds(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto received = unwrap(env, sys::receive_descriptors(int_arg(info, 0), uint_arg(info, 1), bytes_arg(info, 2)));
  if (!received) return env.Undefined();
  Napi::Array fds = Napi::Array::New(env, received->fds.size());
  Napi::Object outcome = Napi::Object::New(env);
  outcome.Set("bytes", static_cast<double>(received->bytes));
  outcome.Set("fds", fds);
  outcome.Set("truncated", received->truncated);
  for (size_t i = 0; i < received->fds.size(); ++i) {
    fds.Set(static_cast<uint32_t>(i), Napi::Number::New(env, received->fds[i].release()));
  }
  return outcome;
}

// receive(socket: number, bytes: Uint8Array, offset: number, length: number, fds: Int32Array): number | undefined;
// appends the descriptors that come along to `fds`, whose first element counts them. The caller owns them.
Napi::Value Receive(const Napi::CallbackInfo& info) {
  const std::span<uint8_t> bytes = slice_arg(info, 1);
  const std::span<int32_t> fds = ints_arg(info, 4);
  auto received = unwrap(info.Env(), sys::receive_descriptors(int_arg(info, 0), sys::kMaxDescriptors, bytes));
  if (!received) return info.Env().Undefined();
  for (sys::UniqueFd& fd : received->fds) {
    const auto place = static_cast<size_t>(fds[0]) + 1;
    if (place >= fds.size()) break;
    fds[place] = fd.release();
    fds[0] += 1;
  }
  return Napi::Number::New(info.Env(), static_cast<double>(received->bytes));
}

}  // namespace

void init_descriptor(Napi::Env env, Napi::Object exports) {
  export_function<Pipe>(env, exports, "pipe");
  export_function<Socketpair>(env, exports, "socketpair");
  export_function<Eventfd>(env, exports, "eventfd");
  export_function<Read>(env, exports, "read");
  export_function<Write>(env, exports, "write");
  export_function<Send>(env, exports, "send");
  export_function<CloseFd>(env, exports, "closeFd");
  export_function<Dup>(env, exports, "dup");
  export_function<DupOnto>(env, exports, "dupOnto");
  export_function<SetNonblocking>(env, exports, "setNonblocking");
  export_function<IsSocket>(env, exports, "isSocket");
  export_function<Poll>(env, exports, "poll");
  export_function<SendFds>(env, exports, "sendFds");
  export_function<RecvFds>(env, exports, "recvFds");
  export_function<Receive>(env, exports, "receive");
}

}  // namespace mp::binding
