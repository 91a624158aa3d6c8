// A child that is killed after a given number of machine instructions: death at every place that there is. ptrace(2)
#pragma once

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace mp::test {

inline bool at_once() { return true; }

enum class StepOutcome { kKilled, kFinished, kNotPossible };

// Runs `body` in a child and kills it after `steps` instructions; kFinished when it was done before. Call `body` in
// this process first: what runs for the first time takes other ways. Instructions count from where `begins`, asked
// before each, says true.
template <typename Body, typename Begins = bool (*)()>
StepOutcome killed_after(long steps, Body body, Begins begins = at_once) {
  const pid_t child = fork();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
    raise(SIGSTOP);
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return StepOutcome::kNotPossible;
  bool has_begun = false;
  for (long step = 0;;) {
    if (!has_begun) has_begun = begins();
    if (has_begun && step++ == steps) break;
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status) && !has_begun) abort();
    if (!WIFSTOPPED(status)) return WIFEXITED(status) ? StepOutcome::kFinished : StepOutcome::kNotPossible;
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return StepOutcome::kKilled;
}

// Calls `trial(kill)`, where `kill(body, begins)` runs the body up to one instruction further than in the trial before,
// times `stride`, until the body gets to its end. False where processes can't be traced.
template <typename Trial>
bool at_every_instruction(long first, long stride, Trial trial) {
  for (long steps = first;; steps += stride) {
    StepOutcome outcome = StepOutcome::kNotPossible;
    trial([&](auto body, auto... begins) { outcome = killed_after(steps, body, begins...); });
    if (outcome != StepOutcome::kKilled) return outcome == StepOutcome::kFinished;
  }
}

}  // namespace mp::test
