#include "fork/trial.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sys/clock.h"

namespace mp::fork {

namespace {

constexpr double kTrialPatienceMs = 10'000;
constexpr int kPassed = 42;

// Enough garbage for a scavenge and enough turns for the optimising compiler, whose jobs run on the child's own
// threads.
constexpr const char* kWork =
    "(() => { let sum = 0; let keep; for (let i = 0; i < 20000; i++) { keep = { i, next: keep && keep.i % 7 ? keep : "
    "null };"
    " sum += keep.i; } return sum; })()";

[[noreturn]] void trial_child(v8::Isolate* isolate) {
  v8::HandleScope scope(isolate);
  const auto context = isolate->GetCurrentContext();
  v8::Local<v8::String> source;
  v8::Local<v8::Script> script;
  v8::Local<v8::Value> sum;
  const bool ran = v8::String::NewFromUtf8(isolate, kWork).ToLocal(&source) &&
                   v8::Script::Compile(context, source).ToLocal(&script) && script->Run(context).ToLocal(&sum);
  isolate->LowMemoryNotification();  // a full collection, marked and swept with the help of background threads
  _exit(ran && sum->IsNumber() ? kPassed : 1);
}

std::string describe(const siginfo_t& end) {
  if (end.si_code == CLD_EXITED) return "ended with code " + std::to_string(end.si_status);
  return "was killed by signal " + std::to_string(end.si_status);
}

// The signals that a process brings on itself.
bool crashed(const siginfo_t& end) {
  constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
  return end.si_code != CLD_EXITED && std::ranges::find(kFaults, end.si_status) != std::end(kFaults);
}

}  // namespace

Trial run_trial(Forker& forker, v8::Isolate* isolate, sys::Deadline deadline) {
  const ForkOptions options{.fresh = true, .keep = {}, .parent_death_signal = SIGKILL};
  auto outcome = forker.fork(options, deadline);
  if (!outcome) return {TrialOutcome::kBusy, {}};
  if (!outcome->ok()) {
    const sys::Error error = outcome->error();
    return {TrialOutcome::kDisturbed, std::string(error.syscall) + ": " + std::strerror(error.number)};
  }
  Forked& child = outcome->value();
  if (child.pid == 0) trial_child(isolate);

  pollfd ended{.fd = child.pidfd.get(), .events = POLLIN, .revents = 0};
  const sys::Deadline patience = sys::deadline_after(kTrialPatienceMs);
  const bool in_time = sys::retry_eintr([&] { return poll(&ended, 1, sys::poll_timeout(patience)); }) == 1;
  if (!in_time) kill(child.pid, SIGKILL);
  siginfo_t end{};
  sys::retry_eintr([&] { return waitid(P_PIDFD, child.pidfd.get(), &end, WEXITED); });
  if (!in_time) return {TrialOutcome::kFailed, "a trial child hung"};
  if (end.si_code == CLD_EXITED && end.si_status == kPassed) return {TrialOutcome::kPassed, {}};
  const bool at_fault = end.si_code == CLD_EXITED || crashed(end);
  return {at_fault ? TrialOutcome::kFailed : TrialOutcome::kDisturbed, "a trial child " + describe(end)};
}

}  // namespace mp::fork
