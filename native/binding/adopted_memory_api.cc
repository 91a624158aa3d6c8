// Memory that V8 says of when nobody refers to it any more: blocks that are used again, and messages that stay in
// rings.
#include <napi.h>

#include <memory>

#include "binding/adopted_memory.h"
#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "sys/block_pool.h"

namespace mp::binding {

namespace {

// V8 looks for garbage among young ArrayBuffers when they have 32 MiB.
constexpr size_t kMostKept = 64 << 20;

// Of one environment: the main thread's or a Worker's.
struct AdoptedMemory {
  AdoptMemory adopt = nullptr;
  std::shared_ptr<sys::BlockPool> blocks = std::make_shared<sys::BlockPool>(kMostKept);
  std::shared_ptr<ipc::KeptMessages> messages = std::make_shared<ipc::KeptMessages>();
};

AdoptedMemory& of(Napi::Env env) { return *env.GetInstanceData<AdoptedMemory>(); }

struct LentBlock {
  std::shared_ptr<sys::BlockPool> pool;
  sys::BlockPool::Block block;

  static void release(void*, size_t, void* hint) {
    const std::unique_ptr<LentBlock> lent(static_cast<LentBlock*>(hint));
    lent->pool->give_back(lent->block);
  }
};

// adoptMemoryWith(adopter: External)
void AdoptMemoryWith(const Napi::CallbackInfo& info) {
  of(info.Env()).adopt = reinterpret_cast<AdoptMemory>(info[0].As<Napi::External<void>>().Data());
}

// recycledMemory(size: number): ArrayBuffer, with what is in it; undefined where there is no adopter, or no memory
Napi::Value RecycledMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  AdoptedMemory& own = of(env);
  if (own.adopt == nullptr) return env.Undefined();
  const auto size = static_cast<size_t>(int64_arg(info, 0));
  auto taken = own.blocks->take(size);
  if (!taken.ok()) return env.Undefined();
  auto lent = std::make_unique<LentBlock>(own.blocks, taken.value());
  auto* data = lent->block.data();
  return {env, own.adopt(env, data, size, LentBlock::release, lent.release())};
}

// trimRecycledMemory()
void TrimRecycledMemory(const Napi::CallbackInfo& info) { of(info.Env()).blocks->trim(); }

// settleMemory()
Napi::Value SettleMemory(const Napi::CallbackInfo& info) {
  of(info.Env()).blocks->trim();
  unwrap(info.Env(), of(info.Env()).messages->settle());
  return info.Env().Undefined();
}

}  // namespace

AdoptMemory adopter_of(Napi::Env env) { return of(env).adopt; }

const std::shared_ptr<ipc::KeptMessages>& kept_messages_of(Napi::Env env) { return of(env).messages; }

void init_adopted_memory(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new AdoptedMemory);
  export_function<AdoptMemoryWith>(env, exports, "adoptMemoryWith");
  export_function<RecycledMemory>(env, exports, "recycledMemory");
  export_function<TrimRecycledMemory>(env, exports, "trimRecycledMemory");
  export_function<SettleMemory>(env, exports, "settleMemory");
}

}  // namespace mp::binding
