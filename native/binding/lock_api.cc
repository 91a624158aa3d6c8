// Locks, semaphores, conditions and barriers in regions: what is more than a wait (wait_room_api.cc) and what
// JavaScript does not do in their words by itself.
#include <napi.h>

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

// releaseWord(region: Region, offset: number): boolean; false: nobody holds it
Napi::Value ReleaseWord(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), ipc::WordLock::release(object_arg<uint32_t>(info, 0, 1)));
}

// takeSemLock(region: Region, self: number): boolean
Napi::Value TakeSemLock(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), ipc::SemLock(region_arg(info, 0), uint_arg(info, 1)).attempt(false).done);
}

// releaseSemLock(region: Region): boolean; false: nobody holds it
Napi::Value ReleaseSemLock(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), ipc::SemLock::release(region_arg(info, 0)->at<ipc::SemRecord>(0)));
}

// semLockHolder(region: Region): number; a token; 0: nobody; -1: held by who leaves no name
Napi::Value SemLockHolder(const Napi::CallbackInfo& info) {
  auto& record = region_arg(info, 0)->at<ipc::SemRecord>(0);
  const ipc::ProcessToken holder = ipc::SemLock::holder(record);
  const bool nameless = holder == ipc::kNobody && ipc::SemLock::held(record);
  return Napi::Number::New(info.Env(), nameless ? -1 : static_cast<int32_t>(holder));
}

// wakeUnits(region: Region, offset: number, count: number)
void WakeUnits(const Napi::CallbackInfo& info) { ipc::wake(object_arg<ipc::SemRecord>(info, 0, 1), int_arg(info, 2)); }

// prepareLedger(region: Region, ledger: number, self: number)
Napi::Value PrepareLedger(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), ipc::prepare(object_arg<ipc::UnitLedger>(info, 0, 1),
                                                region_arg(info, 0)->processes(), uint_arg(info, 2)));
}

ipc::RestoredUnits restored_units(const Napi::CallbackInfo& info) {
  static_cast<void>(object_arg<ipc::SemRecord>(info, 0, 1));
  static_cast<void>(object_arg<ipc::UnitLedger>(info, 0, 2));
  return {region_arg(info, 0), static_cast<size_t>(int64_arg(info, 1)), static_cast<size_t>(int64_arg(info, 2)),
          uint_arg(info, 3)};
}

// releaseRestored(region: Region, offset: number, ledger: number, self: number, units: number): boolean
Napi::Value ReleaseRestored(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), restored_units(info).release(uint_arg(info, 4)));
}

// restoreUnits(region: Region, offset: number, ledger: number, self: number): what the dead hold comes back
void RestoreUnits(const Napi::CallbackInfo& info) { restored_units(info).restore(); }

// prepareTable(region: Region, offset: number, capacity: number, parties: number)
Napi::Value PrepareTable(const Napi::CallbackInfo& info) {
  const uint32_t capacity = uint_arg(info, 2);
  const size_t offset = checked_offset(info, *region_arg(info, 0), 1, ipc::waiter_table_bytes(capacity));
  auto& table = region_arg(info, 0)->at<ipc::WaiterTable>(offset);
  return unwrap_status(info.Env(), ipc::prepare(table, capacity, uint_arg(info, 3)));
}

ipc::WaiterTable& table_arg(const Napi::CallbackInfo& info) { return object_arg<ipc::WaiterTable>(info, 0, 1); }
const ipc::ProcessTable& processes_arg(const Napi::CallbackInfo& info) { return region_arg(info, 0)->processes(); }

// joinCondition(region: Region, offset: number, self: number): number; a slot, or -1
Napi::Value JoinCondition(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ipc::join_condition(table_arg(info), uint_arg(info, 2)));
}

// notifyCondition(region: Region, offset: number, count: number): number
Napi::Value NotifyCondition(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ipc::notify(table_arg(info), processes_arg(info), uint_arg(info, 2)));
}

// arriveAtBarrier(region: Region, offset: number, self: number): number; a negative outcome, or the slot twice, plus
// one for who is the last
Napi::Value ArriveAtBarrier(const Napi::CallbackInfo& info) {
  const ipc::Arrival arrival = ipc::arrive_at_barrier(table_arg(info), processes_arg(info), uint_arg(info, 2));
  const int32_t answer = arrival.slot < 0 ? arrival.slot : arrival.slot * 2 + (arrival.last ? 1 : 0);
  return Napi::Number::New(info.Env(), answer);
}

// openBarrier(region: Region, offset: number, slot: number): number; the opener's index, or -1
Napi::Value OpenBarrier(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ipc::open_barrier(table_arg(info), uint_arg(info, 2)));
}

// leaveBarrier(region: Region, offset: number, slot: number): number; -2: it has left, else how its wait has ended
Napi::Value LeaveBarrier(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ipc::leave_barrier(table_arg(info), uint_arg(info, 2)));
}

// breakBarrier(region: Region, offset: number), resetBarrier(region: Region, offset: number)
void BreakBarrier(const Napi::CallbackInfo& info) { ipc::break_barrier(table_arg(info)); }
void ResetBarrier(const Napi::CallbackInfo& info) { ipc::reset_barrier(table_arg(info)); }

// lookAtBarrier(region: Region, offset: number): { waiting: number, broken: boolean, phase: number }
Napi::Value LookAtBarrier(const Napi::CallbackInfo& info) {
  const auto facts = ipc::look_at_barrier(table_arg(info), processes_arg(info));
  auto object = Napi::Object::New(info.Env());
  object.Set("waiting", facts.waiting);
  object.Set("broken", facts.broken);
  object.Set("phase", facts.phase);
  return object;
}

// forkCount(): number; how often this process has forked
Napi::Value ForkCount(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), sys::fork_count()); }

}  // namespace

void init_lock(Napi::Env env, Napi::Object exports) {
  export_function<ForkCount>(env, exports, "forkCount");
  export_function<ReleaseWord>(env, exports, "releaseWord");
  export_function<TakeSemLock>(env, exports, "takeSemLock");
  export_function<ReleaseSemLock>(env, exports, "releaseSemLock");
  export_function<SemLockHolder>(env, exports, "semLockHolder");
  export_function<WakeUnits>(env, exports, "wakeUnits");
  export_function<PrepareLedger>(env, exports, "prepareLedger");
  export_function<ReleaseRestored>(env, exports, "releaseRestored");
  export_function<RestoreUnits>(env, exports, "restoreUnits");
  export_function<PrepareTable>(env, exports, "prepareTable");
  export_function<JoinCondition>(env, exports, "joinCondition");
  export_function<NotifyCondition>(env, exports, "notifyCondition");
  export_function<ArriveAtBarrier>(env, exports, "arriveAtBarrier");
  export_function<OpenBarrier>(env, exports, "openBarrier");
  export_function<LeaveBarrier>(env, exports, "leaveBarrier");
  export_function<BreakBarrier>(env, exports, "breakBarrier");
  export_function<ResetBarrier>(env, exports, "resetBarrier");
  export_function<LookAtBarrier>(env, exports, "lookAtBarrier");
}

}  // namespace mp::binding
