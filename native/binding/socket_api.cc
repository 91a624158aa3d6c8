// Stream sockets: listening, accepting, connecting. Addresses, names and waiting are TypeScript's (ts/connection).
#include <napi.h>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/stream_socket.h"

namespace mp::binding {

namespace {

// (path: string) or (address: string, port: number), from argument `index` on
sys::Endpoint endpoint_arg(const Napi::CallbackInfo& info, size_t index) {
  const std::string where = string_arg(info, index);
  if (!info[index + 1].IsNumber()) return unwrap(info.Env(), sys::unix_endpoint(where));
  const auto port = static_cast<uint16_t>(uint_arg(info, index + 1));
  return unwrap(info.Env(), sys::internet_endpoint(where, port));
}

// listenAt(where: string, port: number | undefined, backlog: number): number; the caller owns the descriptor
Napi::Value ListenAt(const Napi::CallbackInfo& info) {
  auto listener = unwrap(info.Env(), sys::listen_at(endpoint_arg(info, 0), int_arg(info, 2)));
  return Napi::Number::New(info.Env(), listener.release());
}

// accept(listener: number): number | undefined; the caller owns the descriptor
Napi::Value Accept(const Napi::CallbackInfo& info) {
  auto accepted = unwrap(info.Env(), sys::accept_connection(int_arg(info, 0)));
  return accepted ? Napi::Number::New(info.Env(), accepted->release()) : info.Env().Undefined();
}

// connectTo(where: string, port: number | undefined): { fd, established } | undefined; the caller owns the descriptor
Napi::Value ConnectTo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto connecting = unwrap(env, sys::connect_to(endpoint_arg(info, 0)));
  if (!connecting.socket.valid()) return env.Undefined();
  Napi::Object outcome = Napi::Object::New(env);
  outcome.Set("established", connecting.established);
  outcome.Set("fd", connecting.socket.release());
  return outcome;
}

// finishConnect(socket: number): throws what became of a connection that was under way
Napi::Value FinishConnect(const Napi::CallbackInfo& info) {
  const int failed = unwrap(info.Env(), sys::take_socket_error(int_arg(info, 0)));
  if (failed != 0) throw system_error(info.Env(), {failed, "connect"});
  return info.Env().Undefined();
}

// localAddress(socket: number): { path } | { host, port }
Napi::Value LocalAddress(const Napi::CallbackInfo& info) {
  const auto endpoint = unwrap(info.Env(), sys::local_endpoint(int_arg(info, 0)));
  Napi::Object address = Napi::Object::New(info.Env());
  if (endpoint.family() == AF_UNIX) {
    address.Set("path", sys::path_of(endpoint));
  } else {
    address.Set("host", sys::address_of(endpoint));
    address.Set("port", static_cast<double>(sys::port_of(endpoint)));
  }
  return address;
}

// socketFamily(fd: number): number; AF_UNSPEC for what is no socket
Napi::Value SocketFamily(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::socket_family(int_arg(info, 0))));
}

// setSendBuffer(socket: number, bytes: number)
Napi::Value SetSendBuffer(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_send_buffer(int_arg(info, 0), int_arg(info, 1)));
}

// shutDown(socket: number, how: number)
Napi::Value ShutDown(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::shut_down(int_arg(info, 0), int_arg(info, 1)));
}

}  // namespace

void init_socket(Napi::Env env, Napi::Object exports) {
  export_function<ListenAt>(env, exports, "listenAt");
  export_function<Accept>(env, exports, "accept");
  export_function<ConnectTo>(env, exports, "connectTo");
  export_function<FinishConnect>(env, exports, "finishConnect");
  export_function<LocalAddress>(env, exports, "localAddress");
  export_function<SocketFamily>(env, exports, "socketFamily");
  export_function<SetSendBuffer>(env, exports, "setSendBuffer");
  export_function<ShutDown>(env, exports, "shutDown");
}

}  // namespace mp::binding
