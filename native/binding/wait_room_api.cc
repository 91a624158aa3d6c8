// Waiting for what is in shared memory: blocking, or on the threads of a WaitRoom. Queues, time-outs and errors are
// TypeScript's (ts/sync/waiting.ts).
#include <napi.h>

#include <memory>
#include <utility>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/region.h"
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

size_t table_with(const Napi::CallbackInfo& info, size_t index, const ipc::Region& region, uint32_t slot) {
  if (slot >= object_arg<ipc::WaiterTable>(info, index, region).capacity) {
    throw Napi::RangeError::New(info.Env(), "outside the table");
  }
  return uint_arg(info, index);
}

// Makes of four arguments from `index` on, kind, offset, extra and the process's token, what is to be waited for, and
// gives it to `use`.
template <typename Use>
auto with_wait(const Napi::CallbackInfo& info, size_t index, const ipc::SharedRegion& region, Use use) {
  const size_t at = index + 1;
  const auto record = [&] { return offset_arg(info, at, *region, sizeof(ipc::SemRecord)); };
  const uint32_t extra = uint_arg(info, index + 2);
  const ipc::UserToken self = uint_arg(info, index + 3);
  switch (uint_arg(info, index)) {
    case kWordLock:
      return use(std::in_place_type<ipc::WordLock>, region, offset_arg(info, at, *region, sizeof(uint64_t)), self);
    case kSemLock:
      return use(std::in_place_type<ipc::SemLock>, region, self);
    case kUnits:
      return use(std::in_place_type<ipc::SemaphoreUnits>, region, record());
    case kRestoredUnits:
      return use(std::in_place_type<ipc::RestoredUnits>, region, record(),
                 offset_arg(info, index + 2, *region, sizeof(ipc::UnitLedger)), self);
    case kEvent:
      return use(std::in_place_type<ipc::EventFlag>, region, record());
    case kCondition:
      return use(std::in_place_type<ipc::ConditionWait>, region, table_with(info, at, *region, extra), extra, self);
    case kBarrier:
      return use(std::in_place_type<ipc::BarrierWait>, region, table_with(info, at, *region, extra), extra, self);
    case kBarrierRoom:
      return use(std::in_place_type<ipc::BarrierRoom>, region, table_with(info, at, *region, 0), extra);
  }
  throw Napi::RangeError::New(info.Env(), "no such kind of wait");
}

// false: not done; true: done; a number: done, with this detail.
Napi::Value to_js(Napi::Env env, const ipc::Outcome& outcome) {
  if (outcome.done && outcome.detail != 0) return Napi::Number::New(env, outcome.detail);
  return Napi::Boolean::New(env, outcome.done);
}

// waitOnce(kind: number, offset: number, extra: number, self: number): what an attempt gives that looks for the dead
Napi::Value wait_once(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  return to_js(info.Env(), with_wait(info, 0, region, []<typename T>(std::in_place_type_t<T>, auto... arguments) {
                 return T(arguments...).attempt(true);
               }));
}

// waitSync(kind: number, offset: number, extra: number, self: number, milliseconds: number); blocks
Napi::Value wait_sync(const Napi::CallbackInfo& info, const ipc::SharedRegion& region) {
  const sys::Deadline deadline = sys::deadline_after(number_arg(info, 4));
  return to_js(info.Env(), with_wait(info, 0, region, [&]<typename T>(std::in_place_type_t<T>, auto... arguments) {
                 T wait(arguments...);
                 return ipc::wait_until(wait, deadline);
               }));
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

  // start(region: Region, kind: number, offset: number, extra: number, self: number): number; the wait's ticket
  Napi::Value Start(const Napi::CallbackInfo& info) {
    auto wait = with_wait(info, 1, region_arg(info, 0), []<typename T>(std::in_place_type_t<T>, auto... arguments) {
      return std::unique_ptr<ipc::Waitable>(std::make_unique<T>(arguments...));
    });
    return Napi::Number::New(info.Env(), unwrap(info.Env(), ipc::WaitRoom::start(room_, std::move(wait))));
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

void add_wait_methods(RegionMethods& methods) {
  methods.push_back(Region::method<wait_once>("waitOnce"));
  methods.push_back(Region::method<wait_sync>("waitSync"));
}

void init_wait_room(Napi::Env env, Napi::Object exports) { WaitRoom::init(env, exports); }

}  // namespace mp::binding
