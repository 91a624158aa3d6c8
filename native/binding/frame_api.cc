// One small message to or from a descriptor in one call: what ts/connection/framing.ts does in general, for the usual
// case.
#include <napi.h>

#include <array>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/clock.h"
#include "sys/descriptor.h"
#include "sys/poll_wait.h"
#include "sys/scm_rights.h"
#include "sys/socket_pair.h"

namespace mp::binding {

namespace {

constexpr size_t kHeader = 4;
// The length of a short header; negative: the message has a long one.
int32_t length_in(std::span<const uint8_t> header) {
  return static_cast<int32_t>(uint32_t{header[0]} << 24 | uint32_t{header[1]} << 16 | uint32_t{header[2]} << 8 |
                              header[3]);
}

// read(2), or recvmsg(2) where descriptors may come along, which are appended to `fds`.
sys::Result<sys::Moved> read_into(int fd, std::span<uint8_t> buffer, std::span<int32_t> fds) {
  if (fds.empty()) return sys::read_some(fd, buffer);
  auto received = sys::receive_descriptors(fd, sys::kMaxDescriptors, buffer);
  if (!received) return received.error();
  if (!received.value()) return sys::Moved();
  for (sys::UniqueFd& each : received.value()->fds) {
    const auto place = static_cast<size_t>(fds[0]) + 1;
    if (place >= fds.size()) break;
    fds[place] = each.release();
    fds[0] += 1;
  }
  return sys::Moved(received.value()->bytes);
}

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
  const std::span<int32_t> fds = ints_arg(info, 2);
  const double milliseconds = number_arg(info, 3);
  if (buffer.size() < kHeader) throw Napi::RangeError::New(env, "no room for a header");

  const sys::Deadline deadline = milliseconds == 0 ? 0 : sys::deadline_after(milliseconds);
  auto got = unwrap(env, read_into(fd, buffer.first(kHeader), fds));
  while (!got && milliseconds != 0) {
    if (!unwrap(env, wait_readable(fd, deadline))) break;
    got = unwrap(env, read_into(fd, buffer.first(kHeader), fds));
  }
  if (!got) return Napi::Number::New(env, -1);
  if (*got < kHeader) return Napi::Number::New(env, static_cast<double>(*got));
  const int32_t length = length_in(buffer);
  if (length <= 0 || static_cast<size_t>(length) > buffer.size() - kHeader) return Napi::Number::New(env, kHeader);
  // What goes wrong from here on is for the next read to tell: the header has been taken. Descriptors came with that.
  const auto body = sys::read_some(fd, buffer.subspan(kHeader, static_cast<size_t>(length)));
  const size_t more = body.ok() && body.value() ? *body.value() : 0;
  return Napi::Number::New(env, static_cast<double>(kHeader + more));
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
  const auto length = static_cast<uint32_t>(body.size());
  const std::array<uint8_t, kHeader> header{static_cast<uint8_t>(length >> 24), static_cast<uint8_t>(length >> 16),
                                            static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
  return write_both(env, int_arg(info, 0), bool_arg(info, 1), header, body);
}

}  // namespace

void init_frame(Napi::Env env, Napi::Object exports) {
  export_function<ReadFrame>(env, exports, "readFrame");
  export_function<WriteFrame>(env, exports, "writeFrame");
  export_function<WriteTwo>(env, exports, "writeTwo");
}

}  // namespace mp::binding
