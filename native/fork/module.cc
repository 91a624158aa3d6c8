// The fork addon's face. Everything here runs on the main thread of the environment that loaded it.
#include <napi.h>
#include <node.h>
#include <uv.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "binding/args.h"
#include "binding/errors.h"
#include "fork/child_loop.h"
#include "fork/forker.h"
#include "fork/heap_compaction.h"
#include "fork/heap_placement.h"
#include "fork/memory_adopter.h"
#include "fork/trial.h"
#include "sys/entropy.h"

namespace mp::fork {

namespace {

// Calls back once, from a check handle: no JavaScript on the stack, no event batch half done.
class CleanPoint {
 public:
  static void schedule(Napi::Env env, uv_loop_t* loop, Napi::Function callback) {
    auto* point = new CleanPoint(env, callback);
    uv_check_init(loop, &point->check_);
    uv_idle_init(loop, &point->no_poll_);
    point->check_.data = point;
    point->no_poll_.data = point;
    uv_check_start(&point->check_, [](uv_check_t* check) { static_cast<CleanPoint*>(check->data)->reach(); });
    uv_idle_start(&point->no_poll_, [](uv_idle_t*) {});  // the loop must not block before the check phase
  }

 private:
  CleanPoint(Napi::Env env, Napi::Function callback)
      : env_(env), callback_(Napi::Persistent(callback)), context_(env, "posix-multiprocessing:fork") {}

  void reach() {
    uv_close(reinterpret_cast<uv_handle_t*>(&check_), closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&no_poll_), closed);
    Napi::HandleScope scope(env_);
    try {
      callback_.MakeCallback(env_.Global(), {}, context_);
    } catch (const Napi::Error& error) {
      napi_fatal_exception(env_, error.Value());
    }
  }

  static void closed(uv_handle_t* handle) {
    auto* point = static_cast<CleanPoint*>(handle->data);
    if (++point->closed_ == 2) delete point;
  }

  Napi::Env env_;
  Napi::FunctionReference callback_;
  Napi::AsyncContext context_;
  uv_check_t check_{};
  uv_idle_t no_poll_{};
  int closed_ = 0;
};

class ForkAddon : public Napi::Addon<ForkAddon> {
 public:
  ForkAddon(Napi::Env env, Napi::Object exports) {
    place_heap_densely();
    v8::Isolate* isolate = v8::Isolate::GetCurrent();
    napi_get_uv_event_loop(env, &loop_);
    forker_ = std::make_unique<Forker>(isolate, node::GetCurrentEnvironment(isolate->GetCurrentContext()), loop_);
    DefineAddon(exports, {
                             InstanceMethod<&ForkAddon::Prepare>("prepare"),
                             InstanceMethod<&ForkAddon::RecognizeMessagePorts>("recognizeMessagePorts"),
                             InstanceMethod<&ForkAddon::TaskThreads>("taskThreads"),
                             InstanceMethod<&ForkAddon::IoThreads>("ioThreads"),
                             InstanceMethod<&ForkAddon::Trial>("trial"),
                             InstanceMethod<&ForkAddon::CollectAllGarbage>("collectAllGarbage"),
                             InstanceMethod<&ForkAddon::AtCleanPoint>("atCleanPoint"),
                             InstanceMethod<&ForkAddon::Fork>("fork"),
                             InstanceMethod<&ForkAddon::UnblockSignals>("unblockSignals"),
                             InstanceMethod<&ForkAddon::SetExitCode>("setExitCode"),
                             InstanceMethod<&ForkAddon::StandardStreams>("standardStreams"),
                             InstanceMethod<&ForkAddon::LostDnsQueries>("lostDnsQueries"),
                             InstanceMethod<&ForkAddon::FillRandom>("fillRandom"),
                             InstanceMethod<&ForkAddon::MemoryAdopter>("memoryAdopter"),
                         });
  }

 private:
  Napi::Value Prepare(const Napi::CallbackInfo& info) {
    const auto why_not = forker_->prepare();
    return why_not ? Napi::String::New(info.Env(), *why_not) : info.Env().Undefined();
  }

  static Napi::Value thread_ids(Napi::Env env, const std::optional<std::vector<pid_t>>& threads) {
    if (!threads) return env.Undefined();
    Napi::Array ids = Napi::Array::New(env);
    for (const pid_t thread : *threads) ids.Set(ids.Length(), thread);
    return ids;
  }

  // taskThreads(patience), ioThreads(patience)
  Napi::Value TaskThreads(const Napi::CallbackInfo& info) {
    const auto deadline = sys::deadline_after(info[0].As<Napi::Number>().DoubleValue());
    return thread_ids(info.Env(), forker_->task_threads(deadline));
  }
  Napi::Value IoThreads(const Napi::CallbackInfo& info) {
    const auto deadline = sys::deadline_after(info[0].As<Napi::Number>().DoubleValue());
    return thread_ids(info.Env(), forker_->io_threads(deadline));
  }

  void RecognizeMessagePorts(const Napi::CallbackInfo&) { forker_->recognize_message_ports(); }

  // trial(patience): {outcome, reason}
  Napi::Value Trial(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const sys::Deadline deadline = sys::deadline_after(info[0].As<Napi::Number>().DoubleValue());
    const auto [outcome, reason] = run_trial(*forker_, v8::Isolate::GetCurrent(), deadline);
    Napi::Object verdict = Napi::Object::New(env);
    verdict.Set("outcome", name_of(outcome));
    verdict.Set("reason", reason);
    return verdict;
  }

  static const char* name_of(TrialOutcome outcome) {
    switch (outcome) {
      case TrialOutcome::kPassed:
        return "passed";
      case TrialOutcome::kBusy:
        return "busy";
      case TrialOutcome::kDisturbed:
        return "disturbed";
      case TrialOutcome::kFailed:
        return "failed";
    }
    return "failed";
  }

  void CollectAllGarbage(const Napi::CallbackInfo&) {
    collect_all_garbage(v8::Isolate::GetCurrent(), forker_->task_pool());
  }

  void AtCleanPoint(const Napi::CallbackInfo& info) {
    CleanPoint::schedule(info.Env(), loop_, info[0].As<Napi::Function>());
  }

  // fork(patience, fresh, keep, parentDeathSignal): {pid, pidfd} in the parent, {pid: 0, pidfd: -1} in the child,
  // undefined when V8's threads were busy for `patience` milliseconds.
  Napi::Value Fork(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto keep = info[2].As<Napi::Int32Array>();
    const ForkOptions options{
        .fresh = info[1].As<Napi::Boolean>(),
        .keep = {keep.Data(), keep.ElementLength()},
        .parent_death_signal = info[3].As<Napi::Number>(),
    };
    auto outcome = forker_->fork(options, sys::deadline_after(info[0].As<Napi::Number>().DoubleValue()));
    if (!outcome) return env.Undefined();
    Forked forked = binding::unwrap(env, std::move(*outcome));
    Napi::Object result = Napi::Object::New(env);
    result.Set("pid", forked.pid);
    result.Set("pidfd", forked.pidfd.release());
    return result;
  }

  void UnblockSignals(const Napi::CallbackInfo&) { forker_->unblock_signals(); }

  void SetExitCode(const Napi::CallbackInfo& info) { forker_->set_exit_code(info[0].As<Napi::Number>().Int32Value()); }

  Napi::Value StandardStreams(const Napi::CallbackInfo& info) {
    Napi::Array found = Napi::Array::New(info.Env());
    for (const int fd : standard_streams(loop_)) found.Set(found.Length(), fd);
    return found;
  }

  Napi::Value LostDnsQueries(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), forker_->lost_dns_queries());
  }

  // fillRandom(bytes: Uint8Array)
  void FillRandom(const Napi::CallbackInfo& info) {
    binding::unwrap(info.Env(), sys::fill_random(binding::bytes_arg(info, 0)));
  }

  // memoryAdopter(): External, for adoptMemoryWith() of the other addon
  Napi::Value MemoryAdopter(const Napi::CallbackInfo& info) {
    return Napi::External<void>::New(info.Env(), reinterpret_cast<void*>(&adopt_memory));
  }

  uv_loop_t* loop_ = nullptr;
  std::unique_ptr<Forker> forker_;
};

}  // namespace

}  // namespace mp::fork

using mp::fork::ForkAddon;
NODE_API_NAMED_ADDON(fork, ForkAddon)
