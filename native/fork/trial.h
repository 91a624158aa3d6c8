// One child that collects and compiles, before any real one: a Node that differs from what this binary expects shows it
// here.
#pragma once

#include <v8.h>

#include <string>

#include "fork/forker.h"

namespace mp::fork {

enum class TrialOutcome { kPassed, kBusy, kDisturbed, kFailed };

struct Trial {
  TrialOutcome outcome;
  std::string reason;  // kDisturbed, kFailed: how the child ended
};

// Blocks for the few milliseconds the child lives, at most kTrialPatience. kBusy: V8's threads were, till the deadline;
// return to JavaScript, which serves what they may wait for, and ask again. kDisturbed
// is no verdict on this Node either: there was no process to be had, or somebody has killed it.
Trial run_trial(Forker& forker, v8::Isolate* isolate, sys::Deadline deadline);

}  // namespace mp::fork
