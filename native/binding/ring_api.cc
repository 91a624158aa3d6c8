// class Ring: the shared memory of a Queue. Serialisation, waiting and errors are TypeScript's (ts/queues/queue.ts).
#include <napi.h>

#include <memory>
#include <vector>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "ipc/ring.h"

namespace mp::binding {

namespace {

// What put() returns, and take() for no message.
constexpr int kDone = 0;
constexpr int kFull = 1;
constexpr int kEmpty = -1;
constexpr int kEnded = -2;

int to_js(ipc::PutOutcome outcome) {
  switch (outcome) {
    case ipc::PutOutcome::kDone:
      return kDone;
    case ipc::PutOutcome::kFull:
      return kFull;
    case ipc::PutOutcome::kEnded:
      return kEnded;
  }
  return kEnded;
}

class Ring : public Napi::ObjectWrap<Ring> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Ring", DefineClass(env, "Ring",
                                    {
                                        InstanceMethod<&Ring::Put>("put"),
                                        InstanceMethod<&Ring::Take>("take"),
                                        InstanceMethod<&Ring::End>("end"),
                                        InstanceMethod<&Ring::Size>("size"),
                                        InstanceMethod<&Ring::ItemsBell>("itemsBell"),
                                        InstanceMethod<&Ring::SpaceBell>("spaceBell"),
                                        InstanceMethod<&Ring::Close>("close"),
                                    }));
  }

  // new Ring(capacity: number, maxCount: number)
  explicit Ring(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Ring>(info) {
    const auto capacity = static_cast<uint64_t>(int64_arg(info, 0));
    const auto max_count = static_cast<uint64_t>(int64_arg(info, 1));
    ring_ = std::make_unique<ipc::Ring>(unwrap(info.Env(), ipc::Ring::create(capacity, max_count)));
  }

 private:
  ipc::Ring& ring(const Napi::CallbackInfo& info) const {
    if (ring_ == nullptr) throw system_error(info.Env(), {EBADF, "Ring"});
    return *ring_;
  }

  // put(parts: Uint8Array[], ask: boolean): kDone, kFull or kEnded
  Napi::Value Put(const Napi::CallbackInfo& info) {
    ipc::Ring& ring = this->ring(info);
    const auto array = info[0].As<Napi::Array>();
    parts_.clear();
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::Value part = array[i];
      if (!part.IsTypedArray()) throw Napi::TypeError::New(info.Env(), "expected a Uint8Array");
      const auto bytes = part.As<Napi::Uint8Array>();
      parts_.emplace_back(bytes.Data(), bytes.ByteLength());
    }
    return Napi::Number::New(info.Env(), to_js(unwrap(info.Env(), ring.put(parts_, bool_arg(info, 1)))));
  }

  // take(buffer: Uint8Array, ask: boolean): the message's size in `buffer`, the message itself where that is too small,
  // kEmpty or kEnded
  Napi::Value Take(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto taken = unwrap(env, ring(info).take(bytes_arg(info, 0), bool_arg(info, 1)));
    if (taken.outcome == ipc::TakeOutcome::kEmpty) return Napi::Number::New(env, kEmpty);
    if (taken.outcome == ipc::TakeOutcome::kEnded) return Napi::Number::New(env, kEnded);
    if (taken.own == nullptr) return Napi::Number::New(env, static_cast<double>(taken.size));
    return Napi::Buffer<uint8_t>::New(env, taken.own.release(), taken.size,
                                      [](Napi::BasicEnv, uint8_t* bytes) { ipc::Free()(bytes); });
  }

  // end()
  Napi::Value End(const Napi::CallbackInfo& info) { return unwrap_status(info.Env(), ring(info).end()); }

  // size(): number
  Napi::Value Size(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(unwrap(info.Env(), ring(info).size())));
  }

  // itemsBell(), spaceBell(): number; the descriptors stay the ring's
  Napi::Value ItemsBell(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), ring(info).items_bell());
  }
  Napi::Value SpaceBell(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), ring(info).space_bell());
  }

  // close(): idempotent
  void Close(const Napi::CallbackInfo&) { ring_.reset(); }

  std::unique_ptr<ipc::Ring> ring_;
  std::vector<ipc::Ring::Bytes> parts_;  // of the message being put; kept for its memory
};

}  // namespace

void init_ring(Napi::Env env, Napi::Object exports) { Ring::init(env, exports); }

}  // namespace mp::binding
