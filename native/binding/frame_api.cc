// One small message to or from a descriptor in one call: what ts/connection/framing.ts does in general, for the usual
// case.
#include <napi.h>

#include <vector>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "ipc/frame.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/poll_wait.h"
#include "sys/socket_pair.h"

namespace mp::binding {

namespace {

// False when the time is up.
sys::Result<bool> wait_readable(int fd, sys::Deadline deadline) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  auto ready = sys::poll_until({&entry, 1}, deadline);
  if (!ready) return ready.error();
  return ready.value() > 0;
}

// readFrame(fd: number, buffer: Uint8Array, fds: Int32Array, milliseconds: number): the bytes that were read of one
// message with its header, never more; 0 at the end of the file, -1 where nothing came in time. Blocks for so long; -1
// ms is for ever, 0 looks once.
Napi::Value ReadFrame(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = int_arg(info, 0);
  const std::span<uint8_t> buffer = bytes_arg(info, 1);
  const std::span<int32_t> place = ints_arg(info, 2);
  const double milliseconds = number_arg(info, 3);
  if (buffer.size() < ipc::kFrameHeader) throw Napi::RangeError::New(env, "no room for a header");

  const sys::Deadline deadline = milliseconds == 0 ? 0 : sys::deadline_after(milliseconds);
  std::vector<sys::UniqueFd> fds;
  const auto read_header = [&] {
    auto got = ipc::read_stream(fd, buffer.first(ipc::kFrameHeader), place.empty() ? nullptr : &fds);
    append_descriptors(place, fds);
    return unwrap(env, std::move(got));
  };
  auto got = read_header();
  while (!got && milliseconds != 0) {
    if (!unwrap(env, wait_readable(fd, deadline))) break;
    got = read_header();
  }
  if (!got) return Napi::Number::New(env, -1);
  if (*got < ipc::kFrameHeader) return Napi::Number::New(env, static_cast<double>(*got));
  return Napi::Number::New(env, static_cast<double>(ipc::read_rest_of_frame(fd, buffer)));
}

// How many bytes of the two parts, one after the other; undefined where none could be written without waiting.
Napi::Value write_both(Napi::Env env, int fd, bool is_socket, std::span<const uint8_t> first,
                       std::span<const uint8_t> second) {
  const auto written = unwrap(env, is_socket ? sys::send_two(fd, first, second) : sys::write_two(fd, first, second));
  return written ? Napi::Number::New(env, static_cast<double>(*written)) : env.Undefined();
}

// writeTwo(fd: number, isSocket: boolean, first: Uint8Array, offset: number, second: Uint8Array): how many bytes
Napi::Value WriteTwo(const Napi::CallbackInfo& info) {
  const std::span<const uint8_t> first = bytes_arg(info, 2);
  const size_t offset = uint_arg(info, 3);
  if (offset > first.size()) throw Napi::RangeError::New(info.Env(), "outside the bytes");
  return write_both(info.Env(), int_arg(info, 0), bool_arg(info, 1), first.subspan(offset), bytes_arg(info, 4));
}

// writeFrame(fd: number, isSocket: boolean, bytes: Uint8Array): how many bytes of the message with its header were
// written; undefined where none could be without waiting
Napi::Value WriteFrame(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::span<const uint8_t> body = bytes_arg(info, 2);
  if (body.size() > INT32_MAX) throw Napi::RangeError::New(env, "too long for a short header");
  const auto header = ipc::frame_header(static_cast<uint32_t>(body.size()));
  return write_both(env, int_arg(info, 0), bool_arg(info, 1), header, body);
}

}  // namespace

void init_frame(Napi::Env env, Napi::Object exports) {
  export_function<ReadFrame>(env, exports, "readFrame");
  export_function<WriteFrame>(env, exports, "writeFrame");
  export_function<WriteTwo>(env, exports, "writeTwo");
}

}  // namespace mp::binding
