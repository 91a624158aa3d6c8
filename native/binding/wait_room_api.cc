// Waiting for what is in shared memory: blocking, or on the threads of a WaitRoom. Queues, time-outs and errors are
// TypeScript's (ts/sync/waiting.ts).
#include <napi.h>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/region.h"
#include "binding/wait_arg.h"
#include "ipc/barrier_wait.h"
#include "ipc/condition_wait.h"
#include "ipc/event_flag.h"
#include "ipc/sem_lock.h"
#include "ipc/semaphore_units.h"
#include "ipc/unit_ledger.h"
#include "ipc/wait_room.h"
#include "ipc/word_lock.h"
#include "sys/clock.h"

namespace mp::binding {

namespace {

// As ts/native/wait_room.ts numbers them.
enum Kind : uint32_t { kWordLock, kSemLock, kUnits, kRestoredUnits, kEvent, kCondition, kBarrier, kBarrierRoom };

ipc::WaiterTable& table_with(const Napi::CallbackInfo& info, size_t region, size_t offset, uint32_t slot) {
  auto& table = object_arg<ipc::WaiterTable>(info, region, offset);
  if (slot >= table.capacity) throw Napi::RangeError::New(info.Env(), "outside the table");
  return table;
}

}  // namespace

std::unique_ptr<ipc::Waitable> wait_arg(const Napi::CallbackInfo& info, size_t index) {
  const uint32_t kind = uint_arg(info, index);
  const ipc::SharedRegion& region = region_arg(info, index + 1);
  const auto offset = static_cast<size_t>(int64_arg(info, index + 2));
  const uint32_t extra = uint_arg(info, index + 3);
  const ipc::ProcessToken self = uint_arg(info, index + 4);
  switch (kind) {
    case kWordLock:
      static_cast<void>(object_arg<uint64_t>(info, index + 1, index + 2));
      return std::make_unique<ipc::WordLock>(region, offset, self);
    case kSemLock:
      return std::make_unique<ipc::SemLock>(region, self);
    case kUnits:
      static_cast<void>(object_arg<ipc::SemRecord>(info, index + 1, index + 2));
      return std::make_unique<ipc::SemaphoreUnits>(region, offset);
    case kRestoredUnits:
      static_cast<void>(object_arg<ipc::SemRecord>(info, index + 1, index + 2));
      static_cast<void>(object_arg<ipc::UnitLedger>(info, index + 1, index + 3));
      return std::make_unique<ipc::RestoredUnits>(region, offset, extra, self);
    case kEvent:
      static_cast<void>(object_arg<ipc::SemRecord>(info, index + 1, index + 2));
      return std::make_unique<ipc::EventFlag>(region, offset);
    case kCondition:
      static_cast<void>(table_with(info, index + 1, index + 2, extra));
      return std::make_unique<ipc::ConditionWait>(region, offset, extra, self);
    case kBarrier:
      static_cast<void>(table_with(info, index + 1, index + 2, extra));
      return std::make_unique<ipc::BarrierWait>(region, offset, extra, self);
    case kBarrierRoom:
      static_cast<void>(object_arg<ipc::WaiterTable>(info, index + 1, index + 2));
      return std::make_unique<ipc::BarrierRoom>(region, offset, extra);
  }
  throw Napi::RangeError::New(info.Env(), "no such kind of wait");
}

Napi::Value to_js(Napi::Env env, const ipc::Outcome& outcome) {
  if (outcome.done && outcome.detail != 0) return Napi::Number::New(env, outcome.detail);
  return Napi::Boolean::New(env, outcome.done);
}

namespace {

// The five arguments of wait_arg(), then:

// waitOnce(...): what an attempt gives that looks for the dead
Napi::Value WaitOnce(const Napi::CallbackInfo& info) { return to_js(info.Env(), wait_arg(info, 0)->attempt(true)); }

// waitSync(..., milliseconds: number); blocks
Napi::Value WaitSync(const Napi::CallbackInfo& info) {
  const sys::Deadline deadline = sys::deadline_after(number_arg(info, 5));
  return to_js(info.Env(), ipc::wait_until(*wait_arg(info, 0), deadline));
}

class WaitRoom : public Napi::ObjectWrap<WaitRoom> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("WaitRoom", DefineClass(env, "WaitRoom",
                                        {
                                            InstanceMethod<&WaitRoom::Fd>("fd"),
                                            InstanceMethod<&WaitRoom::Start>("start"),
                                            InstanceMethod<&WaitRoom::Done>("done"),
                                            InstanceMethod<&WaitRoom::Stop>("stop"),
                                            InstanceMethod<&WaitRoom::GiveUp>("giveUp"),
                                            InstanceMethod<&WaitRoom::Cancel>("cancel"),
                                            InstanceMethod<&WaitRoom::Close>("close"),
                                        }));
  }

  explicit WaitRoom(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<WaitRoom>(info), room_(unwrap(info.Env(), ipc::WaitRoom::create())) {}

  // What came too late, in a Worker that is being terminated, goes back.
  ~WaitRoom() override { close(); }

 private:
  // fd(): number; it stays the room's
  Napi::Value Fd(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), room_->fd()); }

  // start(...): number; the wait's ticket
  Napi::Value Start(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), unwrap(info.Env(), ipc::WaitRoom::start(room_, wait_arg(info, 0))));
  }

  // done(): number[]; tickets
  Napi::Value Done(const Napi::CallbackInfo& info) {
    const auto tickets = room_->done();
    auto array = Napi::Array::New(info.Env(), tickets.size());
    for (size_t i = 0; i < tickets.size(); ++i)
      array[static_cast<uint32_t>(i)] = Napi::Number::New(info.Env(), tickets[i]);
    return array;
  }

  // stop(ticket: number), giveUp(ticket: number)
  Napi::Value Stop(const Napi::CallbackInfo& info) { return to_js(info.Env(), room_->stop(uint_arg(info, 0))); }
  Napi::Value GiveUp(const Napi::CallbackInfo& info) { return to_js(info.Env(), room_->give_up(uint_arg(info, 0))); }

  // cancel(ticket: number): what has come goes back
  void Cancel(const Napi::CallbackInfo& info) { room_->cancel(uint_arg(info, 0)); }

  // close(): also in a forked child, where it leaves the parent's waits alone
  void Close(const Napi::CallbackInfo&) { close(); }

  void close() {
    if (room_->of_this_process()) {
      room_->close();
    } else {
      room_->abandon();
    }
  }

  std::shared_ptr<ipc::WaitRoom> room_;
};

}  // namespace

void init_wait_room(Napi::Env env, Napi::Object exports) {
  WaitRoom::init(env, exports);
  export_function<WaitOnce>(env, exports, "waitOnce");
  export_function<WaitSync>(env, exports, "waitSync");
}

}  // namespace mp::binding
