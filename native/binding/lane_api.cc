// class Lane: one end of a Pipe, what it shares with the other in memory. Waiting, serialisation and errors are
// TypeScript's (ts/connection/).
#include <napi.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/quick_method.h"
#include "ipc/frame.h"
#include "ipc/lane.h"
#include "sys/socket_pair.h"

namespace mp::binding {

namespace {

// What put() returns.
constexpr int kDone = 0;
constexpr int kFull = 1;
constexpr int kElsewhere = 2;
// What take() and receive() return for no message, and for an empty one for which there is no room; for longer ones
// less.
constexpr int kNothing = -1;
constexpr int kNoRoom = -2;

// Where a message begins in the memory that put() finds it in: ts/serialization/byte_writer.ts.
constexpr uint32_t kHeadroom = 16;

int to_js(ipc::LanePut outcome) {
  switch (outcome) {
    case ipc::LanePut::kDone:
      return kDone;
    case ipc::LanePut::kFull:
      return kFull;
    case ipc::LanePut::kElsewhere:
      return kElsewhere;
  }
  return kElsewhere;
}

double to_js(const ipc::LaneReceived& received) {
  switch (received.kind) {
    case ipc::LaneReceived::Kind::kNothing:
      return kNothing;
    case ipc::LaneReceived::Kind::kLong:
      return kNoRoom - static_cast<double>(received.size);
    case ipc::LaneReceived::Kind::kMessage:
    case ipc::LaneReceived::Kind::kOnSocket:
      return static_cast<double>(received.size);
  }
  return kNothing;
}

class Lane : public Napi::ObjectWrap<Lane> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Lane", DefineClass(env, "Lane",
                                    {
                                        QuickMethod<&Lane::put>::named("put"),
                                        InstanceMethod<&Lane::PutParts>("putParts"),
                                        InstanceMethod<&Lane::PutBytes>("putBytes"),
                                        InstanceMethod<&Lane::BeginFrame>("beginFrame"),
                                        InstanceMethod<&Lane::EndFrame>("endFrame"),
                                        QuickMethod<&Lane::take>::named("take"),
                                        InstanceMethod<&Lane::TakeInto>("takeInto"),
                                        InstanceMethod<&Lane::Receive>("receive"),
                                        QuickMethod<&Lane::finish_frame>::named("finishFrame"),
                                        InstanceMethod<&Lane::Spin>("spin"),
                                        InstanceMethod<&Lane::Look>("look"),
                                        InstanceMethod<&Lane::MakePlain>("makePlain"),
                                        InstanceMethod<&Lane::OtherEnd>("otherEnd"),
                                        InstanceMethod<&Lane::Files>("files"),
                                        InstanceMethod<&Lane::Close>("close"),
                                    }));
  }

  // new Lane(staging, side: 0 | 1, of?: External | [file: number, bell: number]): makes one; or another end; or opens
  // one and takes the descriptors over, whatever happens. staging: { out: Uint8Array, in: Uint8Array }, where put()
  // finds a message, and take() and receive() leave one with its header.
  explicit Lane(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Lane>(info), staging_(Napi::Persistent(info[0].As<Napi::Object>())) {
    const Napi::Env env = info.Env();
    const uint32_t side = uint_arg(info, 1) == 0 ? 0 : 1;
    if (info[2].IsExternal()) {
      Shared& shared = *info[2].As<Napi::External<Shared>>().Data();
      if (shared.file == nullptr) throw system_error(env, {EBADF, "Lane"});
      ends_.emplace(std::move(shared.file), std::move(shared.bell), side);
    } else if (info[2].IsArray()) {
      const auto files = info[2].As<Napi::Array>();
      const auto file = [&](uint32_t index) {
        const Napi::Value fd = files[index];
        return sys::UniqueFd(fd.As<Napi::Number>().Int32Value());
      };
      sys::UniqueFd bell = file(1);
      ends_.emplace(unwrap(env, ipc::LaneFile::open(file(0))), std::move(bell), side);
    } else {
      auto bells = unwrap(env, sys::make_packet_pair());
      ends_.emplace(unwrap(env, ipc::LaneFile::create()), std::move(bells.first), side);
      other_bell_ = std::move(bells.second);
    }
    out_ = bytes(env, "out");
    in_ = bytes(env, "in");
    if (in_.size() < ipc::kFrameHeader) throw Napi::RangeError::New(env, "no room for a header");
  }

 private:
  // What another end is made of.
  struct Shared {
    std::shared_ptr<ipc::LaneFile> file;
    sys::UniqueFd bell;
  };

  // This end's view of both directions.
  struct Ends {
    Ends(std::shared_ptr<ipc::LaneFile> shared, sys::UniqueFd own_bell, uint32_t side)
        : file(std::move(shared)), bell(std::move(own_bell)), sender(file, side), receiver(file, 1 - side) {}

    ipc::LaneDescriptors with(int socket) const { return {socket, bell.get()}; }

    std::shared_ptr<ipc::LaneFile> file;
    sys::UniqueFd bell;
    ipc::LaneSender sender;
    ipc::LaneReceiver receiver;
  };

  std::span<uint8_t> bytes(Napi::Env env, const char* name) {
    const Napi::Value value = staging_.Value().Get(name);
    if (!value.IsTypedArray()) throw Napi::TypeError::New(env, "expected a Uint8Array");
    auto array = value.As<Napi::Uint8Array>();
    return {array.Data(), array.ByteLength()};
  }

  Ends& ends(Napi::Env env) {
    if (!ends_) throw system_error(env, {EBADF, "Lane"});
    return *ends_;
  }

  std::span<uint8_t> room(uint32_t limit) const {
    return in_.first(std::clamp<size_t>(limit, ipc::kFrameHeader, in_.size()));
  }

  // put(end: number, socket: number): kDone, kFull or kElsewhere; of what is in `out` from kHeadroom to `end`
  double put(Napi::Env env, uint32_t end, uint32_t socket) {
    if (end < kHeadroom || end > out_.size()) throw Napi::RangeError::New(env, "outside the staging memory");
    const ipc::LaneSender::Bytes part = out_.subspan(kHeadroom, end - kHeadroom);
    Ends& ends = this->ends(env);
    return to_js(unwrap(env, ends.sender.put({&part, 1}, ends.with(static_cast<int>(socket)), false)));
  }

  // putParts(parts: Uint8Array[], socket: number, ask: boolean): kDone, kFull or kElsewhere
  Napi::Value PutParts(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto array = info[0].As<Napi::Array>();
    std::vector<ipc::LaneSender::Bytes> parts;
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::Value part = array[i];
      if (!part.IsTypedArray()) throw Napi::TypeError::New(env, "expected a Uint8Array");
      const auto bytes = part.As<Napi::Uint8Array>();
      parts.emplace_back(bytes.Data(), bytes.ByteLength());
    }
    Ends& ends = this->ends(env);
    return Napi::Number::New(
        env, to_js(unwrap(env, ends.sender.put(parts, ends.with(int_arg(info, 1)), bool_arg(info, 2)))));
  }

  // putBytes(bytes: Uint8Array, socket: number): kDone, kFull or kElsewhere
  Napi::Value PutBytes(const Napi::CallbackInfo& info) {
    const ipc::LaneSender::Bytes part = bytes_arg(info, 0);
    Ends& ends = this->ends(info.Env());
    const auto outcome = unwrap(info.Env(), ends.sender.put({&part, 1}, ends.with(int_arg(info, 1)), false));
    return Napi::Number::New(info.Env(), to_js(outcome));
  }

  // beginFrame(first: Uint8Array, second: Uint8Array, more: boolean, descriptors: Int32Array, socket: number): how many
  // bytes of a message with its header were written; undefined where none could be without waiting
  Napi::Value BeginFrame(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto begun =
        unwrap(env, ends(env).sender.begin_frame(bytes_arg(info, 0), bytes_arg(info, 1), bool_arg(info, 2),
                                                 ints_arg(info, 3), int_arg(info, 4)));
    return begun ? Napi::Number::New(env, static_cast<double>(*begun)) : env.Undefined();
  }

  // endFrame(socket: number); the rest of it has been written, where beginFrame() had not written all
  Napi::Value EndFrame(const Napi::CallbackInfo& info) {
    return unwrap_status(info.Env(), ends(info.Env()).sender.end_frame(int_arg(info, 0)));
  }

  // take(limit: number): a message with its header in `in`, from the memory; how many bytes. kNothing; or, of one
  // longer than `limit` or `in`, kNoRoom less its size: takeInto()
  double take(Napi::Env env, uint32_t limit) {
    Ends& ends = this->ends(env);
    return to_js(unwrap(env, ends.receiver.take_frame(room(limit), ends.bell.get())));
  }

  // takeInto(buffer: Uint8Array): the size of the next message in the memory, for which there may be no room; kNothing
  Napi::Value TakeInto(const Napi::CallbackInfo& info) {
    Ends& ends = this->ends(info.Env());
    const auto taken = unwrap(info.Env(), ends.receiver.take(bytes_arg(info, 0), ends.bell.get()));
    return Napi::Number::New(info.Env(), taken ? static_cast<double>(*taken) : kNothing);
  }

  // receive(limit: number, socket: number, descriptors: Int32Array, milliseconds: number): take(), or what readFrame()
  // gives, whichever comes next. Blocks for so long; -1 ms is for ever, 0 looks once.
  Napi::Value Receive(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::span<int32_t> place = ints_arg(info, 2);
    const double milliseconds = number_arg(info, 3);
    const sys::Deadline deadline = milliseconds == 0 ? 0 : sys::deadline_after(milliseconds);
    std::vector<sys::UniqueFd> fds;
    Ends& ends = this->ends(env);
    auto received = ends.receiver.receive(ends.with(int_arg(info, 1)), room(uint_arg(info, 0)),
                                          place.empty() ? nullptr : &fds, deadline);
    append_descriptors(place, fds);
    return Napi::Number::New(env, to_js(unwrap(env, std::move(received))));
  }

  // finishFrame(): 0; a message of which receive() gave a part has come whole
  double finish_frame(Napi::Env env) {
    ends(env).receiver.finish_frame();
    return 0;
  }

  // spin(microseconds: number): boolean; blocks for so long at most
  Napi::Value Spin(const Napi::CallbackInfo& info) {
    const auto nanoseconds = static_cast<int64_t>(number_arg(info, 0) * 1000);
    return Napi::Boolean::New(info.Env(), ends(info.Env()).receiver.spin(nanoseconds));
  }

  // look(socket: number): boolean; false: the socket will be readable when there is something
  Napi::Value Look(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), unwrap(info.Env(), ends(info.Env()).receiver.look(int_arg(info, 0))));
  }

  // makePlain(): from here on everything goes through the socket, in both directions
  void MakePlain(const Napi::CallbackInfo& info) {
    ends(info.Env()).sender.make_plain();
    ends(info.Env()).receiver.make_plain();
  }

  // otherEnd(): what `new Lane()` takes to make the other one; once, of one that was made here
  Napi::Value OtherEnd(const Napi::CallbackInfo& info) {
    auto shared = std::make_unique<Shared>(ends(info.Env()).file, std::move(other_bell_));
    auto external =
        Napi::External<Shared>::New(info.Env(), shared.get(), [](Napi::BasicEnv, Shared* last) { delete last; });
    static_cast<void>(shared.release());
    return external;
  }

  // files(): [memory, bell]; the descriptors stay the lane's. The bell is readable when a full lane is worth a try.
  Napi::Value Files(const Napi::CallbackInfo& info) {
    Ends& ends = this->ends(info.Env());
    Napi::Array array = Napi::Array::New(info.Env(), 2);
    array.Set(0U, Napi::Number::New(info.Env(), ends.file->fd()));
    array.Set(1U, Napi::Number::New(info.Env(), ends.bell.get()));
    return array;
  }

  // close(): idempotent
  void Close(const Napi::CallbackInfo&) {
    if (!ends_) return;
    ends_->receiver.leave();
    ends_.reset();
  }

  std::optional<Ends> ends_;
  sys::UniqueFd other_bell_;
  Napi::ObjectReference staging_;
  std::span<uint8_t> out_;
  std::span<uint8_t> in_;
};

}  // namespace

void init_lane(Napi::Env env, Napi::Object exports) { Lane::init(env, exports); }

}  // namespace mp::binding
