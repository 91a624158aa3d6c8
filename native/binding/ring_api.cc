// class Ring: the shared memory of a Queue. Serialisation, waiting and errors are TypeScript's (ts/queues/queue.ts).
#include <napi.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "binding/adopted_memory.h"
#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/quick_method.h"
#include "ipc/kept_messages.h"
#include "ipc/ring.h"

namespace mp::binding {

namespace {

// What put() returns, and take() for no message.
constexpr int kDone = 0;
constexpr int kFull = 1;
constexpr int kEmpty = -1;
constexpr int kEnded = -2;

// Where a message begins in the memory that put() finds it in: ts/serialization/byte_writer.ts.
constexpr uint32_t kHeadroom = 16;

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

// Of a Loan's JavaScript object: its bytes are the ring's memory, which the ArrayBuffer keeps mapped.
constexpr const char* kLoanBytes = "bytes";

class Ring : public Napi::ObjectWrap<Ring> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Ring", DefineClass(env, "Ring",
                                    {
                                        QuickMethod<&Ring::put>::named("put"),
                                        InstanceMethod<&Ring::PutParts>("putParts"),
                                        InstanceMethod<&Ring::TakeInto>("takeInto"),
                                        QuickMethod<&Ring::take>::named("take"),
                                        InstanceMethod<&Ring::Lend>("lend"),
                                        InstanceMethod<&Ring::PutLoan>("putLoan"),
                                        InstanceMethod<&Ring::TakeLoan>("takeLoan"),
                                        InstanceMethod<&Ring::Keep>("keep"),
                                        InstanceMethod<&Ring::Forget>("forget"),
                                        InstanceMethod<&Ring::GiveBack>("giveBack"),
                                        InstanceMethod<&Ring::HoldItemsBell>("holdItemsBell"),
                                        InstanceMethod<&Ring::RingItemsBell>("ringItemsBell"),
                                        InstanceMethod<&Ring::End>("end"),
                                        InstanceMethod<&Ring::Size>("size"),
                                        InstanceMethod<&Ring::SpinForItems>("spinForItems"),
                                        InstanceMethod<&Ring::CountDone>("countDone"),
                                        InstanceMethod<&Ring::Unfinished>("unfinished"),
                                        InstanceMethod<&Ring::Trim>("trim"),
                                        InstanceMethod<&Ring::HasSpareMemory>("hasSpareMemory"),
                                        InstanceMethod<&Ring::Files>("files"),
                                        InstanceMethod<&Ring::Close>("close"),
                                    }));
  }

  // new Ring(staging, capacity: number, maxCount: number) makes one; new Ring(staging, files: number[]) opens one and
  // takes the files over, whatever happens. staging: { out: Uint8Array, in: Uint8Array, descriptors: Int32Array },
  // where put() finds a message and take() leaves one, with its descriptors, the first element counting them.
  explicit Ring(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Ring>(info), staging_(Napi::Persistent(info[0].As<Napi::Object>())) {
    const Napi::Env env = info.Env();
    const auto bytes = [&](const char* name) {
      const Napi::Value value = staging_.Value().Get(name);
      if (!value.IsTypedArray()) throw Napi::TypeError::New(env, "expected a Uint8Array");
      auto array = value.As<Napi::Uint8Array>();
      return std::span<uint8_t>(array.Data(), array.ByteLength());
    };
    out_ = bytes("out");
    in_ = bytes("in");
    const auto made = [&] {
      if (info[1].IsArray()) return open(info[1].As<Napi::Array>());
      return ipc::Ring::create(static_cast<uint64_t>(int64_arg(info, 1)), static_cast<uint64_t>(int64_arg(info, 2)));
    };
    ring_ = std::make_shared<ipc::Ring>(unwrap(env, made()));
  }

 private:
  static sys::Result<ipc::Ring> open(Napi::Array array) {
    const auto file = [&](uint32_t index) {
      const Napi::Value fd = array[index];
      return sys::UniqueFd(fd.As<Napi::Number>().Int32Value());
    };
    return ipc::Ring::open({file(0), file(1), file(2), file(3), file(4), file(5)});
  }

  ipc::Ring& ring(const Napi::CallbackInfo& info) const { return ring(info.Env()); }

  ipc::Ring& ring(Napi::Env env) const {
    if (ring_ == nullptr) throw system_error(env, {EBADF, "Ring"});
    return *ring_;
  }

  // put(end: number, ask: boolean): kDone, kFull or kEnded; of what is in `out` from kHeadroom to `end`
  double put(Napi::Env env, uint32_t end, bool ask) {
    ipc::Ring& ring = this->ring(env);
    if (end < kHeadroom || end > out_.size()) throw Napi::RangeError::New(env, "outside the staging memory");
    const ipc::Ring::Bytes part = out_.subspan(kHeadroom, end - kHeadroom);
    return to_js(unwrap(env, ring.put({&part, 1}, ask)));
  }

  // take(limit: number, ask: boolean): the message's size, kEmpty or kEnded; it is in `in`. A size larger than `limit`
  // or `in`: nothing was taken, come again with takeInto().
  double take(Napi::Env env, uint32_t limit, bool ask) {
    ipc::Ring& ring = this->ring(env);
    auto taken = unwrap(env, ring.take(in_.first(std::min<size_t>(limit, in_.size())), ask));
    if (!taken.descriptors.empty()) deliver(env, taken.descriptors);
    return size_or(taken.outcome, taken.size);
  }

  // putParts(parts: Uint8Array[], ask: boolean, descriptors: number[]): kDone, kFull or kEnded
  Napi::Value PutParts(const Napi::CallbackInfo& info) {
    ipc::Ring& ring = this->ring(info);
    const auto array = info[0].As<Napi::Array>();
    std::vector<ipc::Ring::Bytes> parts;
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::Value part = array[i];
      if (!part.IsTypedArray()) throw Napi::TypeError::New(info.Env(), "expected a Uint8Array");
      const auto bytes = part.As<Napi::Uint8Array>();
      parts.emplace_back(bytes.Data(), bytes.ByteLength());
    }
    const auto numbers = info[2].As<Napi::Array>();
    std::vector<int> fds(numbers.Length());
    for (uint32_t i = 0; i < fds.size(); ++i) {
      const Napi::Value fd = numbers[i];
      fds[i] = fd.As<Napi::Number>().Int32Value();
    }
    return Napi::Number::New(info.Env(), to_js(unwrap(info.Env(), ring.put(parts, bool_arg(info, 1), fds))));
  }

  // takeInto(buffer: Uint8Array, ask: boolean): take() into another memory
  Napi::Value TakeInto(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto taken = unwrap(env, ring(info).take(bytes_arg(info, 0), bool_arg(info, 1)));
    if (!taken.descriptors.empty()) deliver(env, taken.descriptors);
    return Napi::Number::New(env, size_or(taken.outcome, taken.size));
  }

  static double size_or(ipc::TakeOutcome outcome, uint64_t size) {
    if (outcome == ipc::TakeOutcome::kEmpty) return kEmpty;
    if (outcome == ipc::TakeOutcome::kEnded) return kEnded;
    return static_cast<double>(size);
  }

  void deliver(Napi::Env env, std::vector<sys::UniqueFd>& fds) {
    auto place = staging_.Value().Get("descriptors").As<Napi::Int32Array>();
    if (place.ElementLength() <= fds.size()) throw Napi::RangeError::New(env, "no room for the descriptors");
    place[0] = static_cast<int32_t>(fds.size());
    for (size_t i = 0; i < fds.size(); ++i) place[i + 1] = fds[i].release();
  }

  // What JavaScript has of a loan: { number, first, bytes: ArrayBuffer }. Not backed by the loan but by the mapping,
  // which lives until the last of them is gone.
  Napi::Value loan_to_js(Napi::Env env, const ipc::Loan& loan) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("number", static_cast<double>(loan.number));
    object.Set("first", static_cast<double>(loan.first));
    using Memory = std::shared_ptr<sys::Mapping>;
    auto holder = std::make_unique<Memory>(ring_->memory());
    auto bytes = Napi::ArrayBuffer::New(
        env, loan.bytes.data(), loan.bytes.size(), [](Napi::BasicEnv, void*, Memory* mapped) { delete mapped; },
        holder.get());
    static_cast<void>(holder.release());
    object.Set(kLoanBytes, bytes);
    return object;
  }

  // Every view of it has length 0 afterwards.
  static ipc::Loan loan_arg(const Napi::CallbackInfo& info, size_t index) {
    const auto object = info[index].As<Napi::Object>();
    auto bytes = object.Get(kLoanBytes).As<Napi::ArrayBuffer>();
    if (bytes.IsDetached()) throw system_error(info.Env(), {EINVAL, "loan"});
    return {object.Get("number").As<Napi::Number>().Uint32Value(),
            object.Get("first").As<Napi::Number>().Uint32Value(),
            {static_cast<uint8_t*>(bytes.Data()), bytes.ByteLength()}};
  }
  static void detach(const Napi::CallbackInfo& info, size_t index) {
    info[index].As<Napi::Object>().Get(kLoanBytes).As<Napi::ArrayBuffer>().Detach();
  }

  // lend(size: number, ask: boolean): { number, first, bytes } | undefined while there is no room
  Napi::Value Lend(const Napi::CallbackInfo& info) {
    auto loan = unwrap(info.Env(), ring(info).lend(static_cast<uint64_t>(int64_arg(info, 0)), bool_arg(info, 1)));
    return loan ? loan_to_js(info.Env(), *loan) : info.Env().Undefined();
  }

  // putLoan(loan, size: number, ask: boolean): kDone, kFull or kEnded; done, its bytes are gone
  Napi::Value PutLoan(const Napi::CallbackInfo& info) {
    const ipc::Loan loan = loan_arg(info, 0);
    const auto size = static_cast<uint64_t>(int64_arg(info, 1));
    const auto outcome = unwrap(info.Env(), ring(info).put_loan(loan, size, bool_arg(info, 2)));
    if (outcome == ipc::PutOutcome::kDone) detach(info, 0);
    return Napi::Number::New(info.Env(), to_js(outcome));
  }

  // takeLoan(ask: boolean): { number, first, bytes }, kEmpty, kEnded, or the size of a message that is not lent but
  // taken
  Napi::Value TakeLoan(const Napi::CallbackInfo& info) {
    auto taken = unwrap(info.Env(), ring(info).take_loan(bool_arg(info, 0)));
    if (taken.loan) return loan_to_js(info.Env(), *taken.loan);
    return Napi::Number::New(info.Env(), size_or(taken.outcome, taken.size));
  }

  // keep(least: number, ask: boolean): ArrayBuffer, in the ring's memory until nobody refers to it; kEmpty, kEnded, or
  // the size of a message that is not kept but taken: of one of less than `least` bytes, for example
  Napi::Value Keep(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    ipc::Ring& ring = this->ring(info);
    const AdoptMemory adopt = adopter_of(env);
    const auto& kept = kept_messages_of(env);
    const uint64_t least = adopt == nullptr ? UINT64_MAX : static_cast<uint64_t>(int64_arg(info, 0));
    auto taken = unwrap(env, ring.take_to_keep(least, bool_arg(info, 1)));
    if (!taken.loan) return Napi::Number::New(env, size_or(taken.outcome, taken.size));
    const auto bytes = taken.loan->bytes;
    const auto release = [](void*, size_t, void* message) {
      std::unique_ptr<ipc::KeptMessage> last(static_cast<ipc::KeptMessage*>(message));
      const auto all = last->all;
      all->release(std::move(last));
    };
    return {env, adopt(env, bytes.data(), bytes.size(), release, kept->keep(ring_, *taken.loan))};
  }

  // forget(kept: ArrayBuffer): its bytes are gone
  void Forget(const Napi::CallbackInfo& info) { info[0].As<Napi::ArrayBuffer>().Detach(); }

  // giveBack(loan): its bytes are gone
  Napi::Value GiveBack(const Napi::CallbackInfo& info) {
    const ipc::Loan loan = loan_arg(info, 0);
    detach(info, 0);
    return unwrap_status(info.Env(), ring(info).give_back(loan));
  }

  // holdItemsBell(): from here on put() wakes nobody
  void HoldItemsBell(const Napi::CallbackInfo& info) { ring(info).hold_items_bell(); }

  // ringItemsBell(): wakes who sleeps
  Napi::Value RingItemsBell(const Napi::CallbackInfo& info) {
    return unwrap_status(info.Env(), ring(info).ring_items_bell());
  }

  // end()
  Napi::Value End(const Napi::CallbackInfo& info) { return unwrap_status(info.Env(), ring(info).end()); }

  // size(): number
  Napi::Value Size(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(ring(info).size()));
  }

  // spinForItems(microseconds: number): boolean; blocks for so long at most
  Napi::Value SpinForItems(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), ring(info).spin_for_items(static_cast<int64_t>(number_arg(info, 0) * 1000)));
  }

  // countDone(): boolean; false: all that were put have been counted
  Napi::Value CountDone(const Napi::CallbackInfo& info) {
    const auto outcome = unwrap(info.Env(), ring(info).count_done());
    return Napi::Boolean::New(info.Env(), outcome == ipc::DoneOutcome::kDone);
  }

  // unfinished(ask: boolean): number
  Napi::Value Unfinished(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(),
                             static_cast<double>(unwrap(info.Env(), ring(info).unfinished(bool_arg(info, 0)))));
  }

  // trim(most: number): boolean; whether any was given back
  Napi::Value Trim(const Napi::CallbackInfo& info) {
    const auto most = static_cast<uint64_t>(int64_arg(info, 0));
    return Napi::Boolean::New(info.Env(), unwrap(info.Env(), ring(info).trim(most)));
  }

  // hasSpareMemory(): boolean
  Napi::Value HasSpareMemory(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), ring(info).has_spare_memory());
  }

  // files(): [memory, itemsBell, spaceBell, doneBell, mailIn, mailOut]; the descriptors stay the ring's
  Napi::Value Files(const Napi::CallbackInfo& info) {
    const ipc::RingFiles& files = ring(info).files();
    Napi::Array array = Napi::Array::New(info.Env(), 6);
    uint32_t index = 0;
    for (const sys::UniqueFd* file :
         {&files.memory, &files.items_bell, &files.space_bell, &files.done_bell, &files.mail_in, &files.mail_out}) {
      array.Set(index++, Napi::Number::New(info.Env(), file->get()));
    }
    return array;
  }

  // close(): idempotent; memory stays mapped while there are loans
  void Close(const Napi::CallbackInfo& info) {
    if (ring_ == nullptr) return;
    // What can't be settled, for want of memory, keeps the ring mapped. What is settled keeps the file, without its
    // memory.
    const auto settled = kept_messages_of(info.Env())->settle(ring_.get());
    if (settled.ok() && settled.value() > 0) static_cast<void>(ring_->trim(UINT64_MAX));
    ring_.reset();
  }

  std::shared_ptr<ipc::Ring> ring_;
  Napi::ObjectReference staging_;
  std::span<uint8_t> out_;
  std::span<uint8_t> in_;
};

}  // namespace

void init_ring(Napi::Env env, Napi::Object exports) { Ring::init(env, exports); }

}  // namespace mp::binding
