// What a heap goes through so that its pages stay shared with forked children.
#pragma once

#include <v8.h>

#include "fork/worker_pool.h"

namespace mp::fork {

// Collects until nothing more is found, waits until V8's threads have nothing left to do, and gives the memory that
// malloc holds free back to the system. Blocks for tenths of a second in a large heap.
void collect_all_garbage(v8::Isolate* isolate, WorkerPool& pool);

}  // namespace mp::fork
