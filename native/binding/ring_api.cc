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

// Of a Loan's JavaScript object: its bytes are the ring's memory, which the ArrayBuffer keeps mapped.
constexpr const char* kLoanBytes = "bytes";

class Ring : public Napi::ObjectWrap<Ring> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("Ring", DefineClass(env, "Ring",
                                    {
                                        InstanceMethod<&Ring::Put>("put"),
                                        InstanceMethod<&Ring::PutParts>("putParts"),
                                        InstanceMethod<&Ring::Take>("take"),
                                        InstanceMethod<&Ring::Lend>("lend"),
                                        InstanceMethod<&Ring::PutLoan>("putLoan"),
                                        InstanceMethod<&Ring::TakeLoan>("takeLoan"),
                                        InstanceMethod<&Ring::GiveBack>("giveBack"),
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

  // new Ring(capacity: number, maxCount: number, descriptors: Int32Array) makes one; new Ring(files: number[],
  // descriptors: Int32Array) opens one and takes the files over, whatever happens. take() leaves the descriptors that
  // come with a message in `descriptors`, whose first element counts them.
  explicit Ring(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Ring>(info) {
    const bool opens = info[0].IsArray();
    descriptors_ = Napi::Persistent(info[opens ? 1 : 2].As<Napi::Object>());
    ring_ = std::make_shared<ipc::Ring>(
        unwrap(info.Env(), opens ? open(info[0].As<Napi::Array>())
                                 : ipc::Ring::create(static_cast<uint64_t>(int64_arg(info, 0)),
                                                     static_cast<uint64_t>(int64_arg(info, 1)))));
  }

 private:
  static sys::Result<ipc::Ring> open(Napi::Array array) {
    const auto file = [&](uint32_t index) {
      const Napi::Value fd = array[index];
      return sys::UniqueFd(fd.As<Napi::Number>().Int32Value());
    };
    return ipc::Ring::open({file(0), file(1), file(2), file(3), file(4), file(5)});
  }

  ipc::Ring& ring(const Napi::CallbackInfo& info) const {
    if (ring_ == nullptr) throw system_error(info.Env(), {EBADF, "Ring"});
    return *ring_;
  }

  // put(memory: Uint8Array, start: number, length: number, ask: boolean): kDone, kFull or kEnded
  Napi::Value Put(const Napi::CallbackInfo& info) {
    ipc::Ring& ring = this->ring(info);
    const std::span<uint8_t> memory = bytes_arg(info, 0);
    const uint32_t start = uint_arg(info, 1);
    const uint32_t length = uint_arg(info, 2);
    if (start > memory.size() || length > memory.size() - start) {
      throw Napi::RangeError::New(info.Env(), "slice out of bounds");
    }
    const ipc::Ring::Bytes part = memory.subspan(start, length);
    return Napi::Number::New(info.Env(), to_js(unwrap(info.Env(), ring.put({&part, 1}, bool_arg(info, 3)))));
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

  // take(buffer: Uint8Array, ask: boolean): the message's size, kEmpty or kEnded. A size larger than the buffer:
  // nothing was taken, come again with a larger one.
  Napi::Value Take(const Napi::CallbackInfo& info) {
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
    auto place = descriptors_.Value().As<Napi::Int32Array>();
    if (place.ElementLength() <= fds.size()) throw Napi::RangeError::New(env, "no room for the descriptors");
    place[0] = static_cast<int32_t>(fds.size());
    for (size_t i = 0; i < fds.size(); ++i) place[i + 1] = fds[i].release();
  }

  // What JavaScript has of a loan: { number, first, bytes: ArrayBuffer }. Not backed by the loan but by the mapping,
  // which lives until the last of them and the ring are gone.
  Napi::Value loan_to_js(Napi::Env env, const ipc::Loan& loan) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("number", static_cast<double>(loan.number));
    object.Set("first", static_cast<double>(loan.first));
    auto holder = std::make_unique<std::shared_ptr<ipc::Ring>>(ring_);
    auto bytes = Napi::ArrayBuffer::New(
        env, loan.bytes.data(), loan.bytes.size(),
        [](Napi::BasicEnv, void*, std::shared_ptr<ipc::Ring>* mapped) { delete mapped; }, holder.get());
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

  // giveBack(loan): its bytes are gone
  Napi::Value GiveBack(const Napi::CallbackInfo& info) {
    const ipc::Loan loan = loan_arg(info, 0);
    detach(info, 0);
    return unwrap_status(info.Env(), ring(info).give_back(loan));
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

  // trim()
  Napi::Value Trim(const Napi::CallbackInfo& info) { return unwrap_status(info.Env(), ring(info).trim()); }

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

  // close(): idempotent; memory stays mapped while loans are held
  void Close(const Napi::CallbackInfo&) { ring_.reset(); }

  std::shared_ptr<ipc::Ring> ring_;
  Napi::ObjectReference descriptors_;
};

}  // namespace

void init_ring(Napi::Env env, Napi::Object exports) { Ring::init(env, exports); }

}  // namespace mp::binding
