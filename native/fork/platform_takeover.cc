#include "fork/platform_takeover.h"

#include <dlfcn.h>
#include <unistd.h>
#include <v8-version.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <utility>

#include "fork/condition.h"
#include "fork/vtable.h"

namespace mp::fork {

// The copied table. The two words before the address point (offset to top, type information) belong to it; so does,
// out of the platform's sight, the pool: a hook finds it through the vtable pointer of the object it is called on.
struct PlatformTakeover::Table {
  // More than the interface has: what NodePlatform adds of its own stays callable.
  static constexpr size_t kSlots = 48;

  WorkerPool* pool;
  void** original;
  void* words[kVtableHeader + kSlots];

  void** address_point() { return words + kVtableHeader; }
  static Table* of(const v8::Platform* platform) {
    char* address = *reinterpret_cast<char* const*>(platform);
    return reinterpret_cast<Table*>(address - offsetof(Table, words) - kVtableHeader * sizeof(void*));
  }
};

namespace {

#if V8_MAJOR_VERSION < 12
// Node 20: the low-priority and blocking posts default to CallOnWorkerThread, which is virtual.
struct Slots : v8::Platform {
  static size_t post() { return slot_of(&v8::Platform::CallOnWorkerThread); }
  static size_t post_delayed() { return slot_of(&v8::Platform::CallDelayedOnWorkerThread); }
};
using PostFunction = void(v8::Platform*, std::unique_ptr<v8::Task>);
#else
struct Slots : v8::Platform {
  static size_t post() { return slot_of(&Slots::PostTaskOnWorkerThreadImpl); }
  static size_t post_delayed() { return slot_of(&Slots::PostDelayedTaskOnWorkerThreadImpl); }
};
#if V8_MAJOR_VERSION < 14
using Location = const v8::SourceLocation&;
#else
using Location = v8::SourceLocation;
#endif
using PostFunction = void(v8::Platform*, v8::TaskPriority, std::unique_ptr<v8::Task>, Location);
#endif

size_t drain_slot() { return slot_of(&node::MultiIsolatePlatform::DrainTasks); }

// True when the address belongs to the image that holds Node's own code.
bool in_node_image(const void* address) {
  Dl_info code, node;
  return dladdr(address, &code) != 0 &&
         dladdr(reinterpret_cast<const void*>(&node::SetProcessExitHandler), &node) != 0 &&
         code.dli_fbase == node.dli_fbase;
}

// Waits at a task boundary of one of Node's own threads until everybody has come, so that each takes exactly one.
class Parker final : public v8::Task {
 public:
  struct Meeting {
    std::mutex mutex;
    Condition changed;
    std::vector<pid_t> arrived;
    bool over = false;
  };
  explicit Parker(std::shared_ptr<Meeting> meeting) : meeting_(std::move(meeting)) {}
  void Run() override {
    std::unique_lock lock(meeting_->mutex);
    meeting_->arrived.push_back(gettid());
    meeting_->changed.notify_all();
    meeting_->changed.wait(lock, sys::kForever, [this] { return meeting_->over; });
  }

 private:
  std::shared_ptr<Meeting> meeting_;
};

// Node's own count includes the thread that schedules delayed tasks (src/node_platform.cc: threads_), which runs none.
int task_threads(node::MultiIsolatePlatform* platform) { return platform->NumberOfWorkerThreads() - 1; }

void post_to_original(v8::Platform* platform, void* function, std::unique_ptr<v8::Task> task) {
  const auto post = reinterpret_cast<PostFunction*>(function);
#if V8_MAJOR_VERSION < 12
  post(platform, std::move(task));
#else
  // The lowest priority: where Node orders by priority, a parker comes last.
  post(platform, v8::TaskPriority::kBestEffort, std::move(task), v8::SourceLocation());
#endif
}

}  // namespace

// What the patched slots lead to: free functions in the place of members, `this` being the first argument in both ABIs.
namespace hooks {

#if V8_MAJOR_VERSION < 12
template <typename Table>
void post(v8::Platform* self, std::unique_ptr<v8::Task> task) {
  Table::of(self)->pool->post(v8::TaskPriority::kUserVisible, std::move(task));
}
template <typename Table>
void post_delayed(v8::Platform* self, std::unique_ptr<v8::Task> task, double delay_in_seconds) {
  Table::of(self)->pool->post_delayed(std::move(task), delay_in_seconds);
}
constexpr v8::TaskPriority kDrained = v8::TaskPriority::kBestEffort;
#else
template <typename Table>
void post(v8::Platform* self, v8::TaskPriority priority, std::unique_ptr<v8::Task> task, Location) {
  Table::of(self)->pool->post(priority, std::move(task));
}
template <typename Table>
void post_delayed(v8::Platform* self, v8::TaskPriority, std::unique_ptr<v8::Task> task, double delay_in_seconds,
                  Location) {
  Table::of(self)->pool->post_delayed(std::move(task), delay_in_seconds);
}
// From V8 13 (Node 24) on, Node waits for blocking tasks only before it ends: src/node_platform.cc, DrainTasks.
constexpr v8::TaskPriority kDrained =
    V8_MAJOR_VERSION < 13 ? v8::TaskPriority::kBestEffort : v8::TaskPriority::kUserBlocking;
#endif

template <typename Table>
void drain(node::MultiIsolatePlatform* self, v8::Isolate* isolate) {
  do {
    Table::of(self)->pool->drain(kDrained);
  } while (self->FlushForegroundTasks(isolate));
}

}  // namespace hooks

std::unique_ptr<PlatformTakeover> PlatformTakeover::install(node::MultiIsolatePlatform* platform,
                                                            std::string* why_not) {
  void*** vptr = reinterpret_cast<void***>(platform);
  void** original = *vptr;
  for (const size_t slot : {Slots::post(), Slots::post_delayed(), drain_slot()}) {
    if (slot >= Table::kSlots || !in_node_image(original[slot])) {
      *why_not = "the V8 platform of this Node is not the one that this binary was built for";
      return nullptr;
    }
  }
  auto* pool = new WorkerPool(std::max(1, task_threads(platform)));
  auto* table = new Table{.pool = pool, .original = original, .words = {}};
  std::memcpy(table->words, original - kVtableHeader, sizeof(table->words));
  void** slots = table->address_point();
  slots[Slots::post()] = reinterpret_cast<void*>(&hooks::post<Table>);
  slots[Slots::post_delayed()] = reinterpret_cast<void*>(&hooks::post_delayed<Table>);
  slots[drain_slot()] = reinterpret_cast<void*>(&hooks::drain<Table>);
  __atomic_store_n(vptr, slots, __ATOMIC_RELEASE);
  return std::unique_ptr<PlatformTakeover>(new PlatformTakeover(platform, table, pool));
}

bool PlatformTakeover::original_threads_idle(sys::Deadline deadline) {
  if (idle_) return true;
  const auto meeting = std::make_shared<Parker::Meeting>();
  const size_t threads = task_threads(platform_);
  for (size_t index = 0; index < threads; ++index) {
    post_to_original(platform_, table_->original[Slots::post()], std::make_unique<Parker>(meeting));
  }
  std::unique_lock lock(meeting->mutex);
  idle_ = meeting->changed.wait(lock, deadline, [&] { return meeting->arrived.size() == threads; });
  if (idle_) original_threads_ = meeting->arrived;
  meeting->over = true;
  meeting->changed.notify_all();
  return idle_;
}

}  // namespace mp::fork
