// A child that is killed after a given number of machine instructions: death at every place that there is. ptrace(2)
#pragma once

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mp::test {

enum class StepOutcome { kKilled, kFinished, kNotPossible };

// Runs `body` in a child and kills it after `steps` instructions; kFinished when it was done before. Call `body` in
// this process first: what runs for the first time takes other ways.
template <typename Body>
StepOutcome killed_after(long steps, Body body) {
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
  for (long step = 0; step < steps; ++step) {
    if (ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) != 0) break;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return WIFEXITED(status) ? StepOutcome::kFinished : StepOutcome::kNotPossible;
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return StepOutcome::kKilled;
}

// Calls `trial(kill)`, where `kill(body)` runs the body up to one instruction further than in the trial before, times
// `stride`, until the body gets to its end. False where processes can't be traced.
template <typename Trial>
bool at_every_instruction(long first, long stride, Trial trial) {
  for (long steps = first;; steps += stride) {
    StepOutcome outcome = StepOutcome::kNotPossible;
    trial([&](auto body) { outcome = killed_after(steps, body); });
    if (outcome != StepOutcome::kKilled) return outcome == StepOutcome::kFinished;
  }
}

}  // namespace mp::test
