// Locks, semaphores, conditions and barriers in a Region: what is more than a wait (wait_room_api.cc) and what
// JavaScript does not do in their words by itself.
#include <napi.h>

#include <memory>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "binding/region.h"
#include "ipc/barrier_wait.h"
#include "ipc/condition_wait.h"
#include "ipc/sem_lock.h"
#include "ipc/semaphore_units.h"
#include "ipc/unit_ledger.h"
#include "ipc/word_lock.h"
#include "sys/fork_count.h"

namespace mp::binding {

namespace {

using Info = const Napi::CallbackInfo&;
using SharedRegion = const ipc::SharedRegion&;

ipc::SemRecord& record_at_start(SharedRegion region) { return region->at<ipc::SemRecord>(0); }

// releaseWord(offset: number): boolean; false: nobody holds it
Napi::Value release_word(Info info, SharedRegion region) {
  return Napi::Boolean::New(info.Env(), ipc::WordLock::release(object_arg<uint32_t>(info, 0, *region)));
}

// take(self: number): boolean
Napi::Value TakeSemLock(Info info) {
  auto& region = *static_cast<ipc::SharedRegion*>(info.Data());
  return Napi::Boolean::New(info.Env(), ipc::SemLock::take(record_at_start(region), uint_arg(info, 0)));
}

// release(): boolean; false: nobody holds it
Napi::Value ReleaseSemLock(Info info) {
  auto& region = *static_cast<ipc::SharedRegion*>(info.Data());
  return Napi::Boolean::New(info.Env(), ipc::SemLock::release(record_at_start(region)));
}

// A function for that memory alone: a method would look for its receiver's at every call, which takes longer than the
// rest.
template <auto Callback>
Napi::Function bound(Napi::Env env, const char* name, SharedRegion region) {
  auto holder = std::make_unique<ipc::SharedRegion>(region);
  auto function = Napi::Function::New<Callback>(env, name, holder.get());
  function.AddFinalizer([](Napi::BasicEnv, ipc::SharedRegion* holder) { delete holder; }, holder.get());
  static_cast<void>(holder.release());
  return function;
}

// semLock(): { take, release }
Napi::Value sem_lock(Info info, SharedRegion region) {
  auto lock = Napi::Object::New(info.Env());
  lock.Set("take", bound<TakeSemLock>(info.Env(), "take", region));
  lock.Set("release", bound<ReleaseSemLock>(info.Env(), "release", region));
  return lock;
}

// semLockHolder(): number; a token; 0: nobody; -1: held by who leaves no name
Napi::Value sem_lock_holder(Info info, SharedRegion region) {
  auto& record = record_at_start(region);
  const ipc::UserToken holder = ipc::SemLock::holder(record);
  const bool nameless = holder == ipc::kNoUser && ipc::SemLock::held(record);
  return Napi::Number::New(info.Env(), nameless ? -1 : static_cast<int32_t>(holder));
}

// wakeUnits(offset: number, count: number)
Napi::Value wake_units(Info info, SharedRegion region) {
  ipc::wake(object_arg<ipc::SemRecord>(info, 0, *region), int_arg(info, 1));
  return info.Env().Undefined();
}

// prepareLedger(ledger: number, self: number)
Napi::Value prepare_ledger(Info info, SharedRegion region) {
  auto& ledger = object_arg<ipc::UnitLedger>(info, 0, *region);
  return unwrap_status(info.Env(), ipc::prepare(ledger, region->processes(), uint_arg(info, 1)));
}

// The arguments: offset: number, ledger: number, self: number
ipc::RestoredUnits restored_units(Info info, SharedRegion region) {
  return {region, offset_arg(info, 0, *region, sizeof(ipc::SemRecord)),
          offset_arg(info, 1, *region, sizeof(ipc::UnitLedger)), uint_arg(info, 2)};
}

// releaseRestored(..., units: number): boolean
Napi::Value release_restored(Info info, SharedRegion region) {
  return Napi::Boolean::New(info.Env(), restored_units(info, region).release(uint_arg(info, 3)));
}

// restoreUnits(...): what the dead hold comes back
Napi::Value restore_units(Info info, SharedRegion region) {
  restored_units(info, region).restore();
  return info.Env().Undefined();
}

// prepareTable(offset: number, capacity: number, parties: number)
Napi::Value prepare_table(Info info, SharedRegion region) {
  const uint32_t capacity = uint_arg(info, 1);
  auto& table = region->at<ipc::WaiterTable>(offset_arg(info, 0, *region, ipc::waiter_table_bytes(capacity)));
  return unwrap_status(info.Env(), ipc::prepare(table, capacity, uint_arg(info, 2)));
}

ipc::WaiterTable& table_arg(Info info, SharedRegion region) { return object_arg<ipc::WaiterTable>(info, 0, *region); }

// A slot of the table, which comes before it.
uint32_t slot_arg(Info info, const ipc::WaiterTable& table) {
  const uint32_t slot = uint_arg(info, 1);
  if (slot >= table.capacity) throw Napi::RangeError::New(info.Env(), "outside the table");
  return slot;
}

// joinCondition(offset: number, self: number): number; a slot, or -1
Napi::Value join_condition(Info info, SharedRegion region) {
  return Napi::Number::New(info.Env(), ipc::join_condition(table_arg(info, region), uint_arg(info, 1)));
}

// notifyCondition(offset: number, count: number): number
Napi::Value notify_condition(Info info, SharedRegion region) {
  return Napi::Number::New(info.Env(), ipc::notify(table_arg(info, region), region->processes(), uint_arg(info, 1)));
}

// arriveAtBarrier(offset: number, self: number): number; a negative outcome, or the slot twice, plus one for who is the
// last
Napi::Value arrive_at_barrier(Info info, SharedRegion region) {
  const auto arrival = ipc::arrive_at_barrier(table_arg(info, region), region->processes(), uint_arg(info, 1));
  const int32_t answer = arrival.slot < 0 ? arrival.slot : arrival.slot * 2 + (arrival.last ? 1 : 0);
  return Napi::Number::New(info.Env(), answer);
}

// openBarrier(offset: number, slot: number): number; the opener's index, or -1
Napi::Value open_barrier(Info info, SharedRegion region) {
  auto& table = table_arg(info, region);
  return Napi::Number::New(info.Env(), ipc::open_barrier(table, slot_arg(info, table)));
}

// leaveBarrier(offset: number, slot: number): number; -2: it has left, else how its wait has ended
Napi::Value leave_barrier(Info info, SharedRegion region) {
  auto& table = table_arg(info, region);
  return Napi::Number::New(info.Env(), ipc::leave_barrier(table, slot_arg(info, table)));
}

// breakBarrier(offset: number)
Napi::Value break_barrier(Info info, SharedRegion region) {
  ipc::break_barrier(table_arg(info, region));
  return info.Env().Undefined();
}

// resetBarrier(offset: number)
Napi::Value reset_barrier(Info info, SharedRegion region) {
  ipc::reset_barrier(table_arg(info, region));
  return info.Env().Undefined();
}

// lookAtBarrier(offset: number): { waiting: number, broken: boolean, phase: number }
Napi::Value look_at_barrier(Info info, SharedRegion region) {
  const auto facts = ipc::look_at_barrier(table_arg(info, region), region->processes());
  auto object = Napi::Object::New(info.Env());
  object.Set("waiting", facts.waiting);
  object.Set("broken", facts.broken);
  object.Set("phase", facts.phase);
  return object;
}

// forkCount(): number; how often this process has forked
Napi::Value ForkCount(Info info) { return Napi::Number::New(info.Env(), sys::fork_count()); }

}  // namespace

void add_lock_methods(RegionMethods& methods) {
  methods.insert(methods.end(), {
                                    Region::method<release_word>("releaseWord"),
                                    Region::method<sem_lock>("semLock"),
                                    Region::method<sem_lock_holder>("semLockHolder"),
                                    Region::method<wake_units>("wakeUnits"),
                                    Region::method<prepare_ledger>("prepareLedger"),
                                    Region::method<release_restored>("releaseRestored"),
                                    Region::method<restore_units>("restoreUnits"),
                                    Region::method<prepare_table>("prepareTable"),
                                    Region::method<join_condition>("joinCondition"),
                                    Region::method<notify_condition>("notifyCondition"),
                                    Region::method<arrive_at_barrier>("arriveAtBarrier"),
                                    Region::method<open_barrier>("openBarrier"),
                                    Region::method<leave_barrier>("leaveBarrier"),
                                    Region::method<break_barrier>("breakBarrier"),
                                    Region::method<reset_barrier>("resetBarrier"),
                                    Region::method<look_at_barrier>("lookAtBarrier"),
                                });
}

void init_lock(Napi::Env env, Napi::Object exports) { export_function<ForkCount>(env, exports, "forkCount"); }

}  // namespace mp::binding
