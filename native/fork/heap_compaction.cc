#include "fork/heap_compaction.h"

#include <malloc.h>

#include "sys/clock.h"

namespace mp::fork {

namespace {

constexpr double kPatienceMs = 1000;

}  // namespace

void collect_all_garbage(v8::Isolate* isolate, WorkerPool& pool) {
  isolate->LowMemoryNotification();
  // What sweeps and frees beside the main thread. Not for ever: a task that allocates may wait for the main thread to
  // collect.
  pool.drain(v8::TaskPriority::kBestEffort, sys::deadline_after(kPatienceMs));
  malloc_trim(0);
}

}  // namespace mp::fork
