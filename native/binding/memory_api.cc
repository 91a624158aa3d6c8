// Memory that processes share: memory objects, file sizes, mappings as ArrayBuffers over the mapped bytes themselves.
#include <napi.h>

#include <memory>

#include "binding/api.h"
#include "binding/args.h"
#include "binding/errors.h"
#include "ipc/word_watch.h"
#include "sys/file_size.h"
#include "sys/mapping.h"
#include "sys/memory_object.h"

namespace mp::binding {

namespace {

// Held twice: by the bytes, which another ArrayBuffer takes along when this one is transferred, and by the ArrayBuffer
// that mmap() returned, which munmap() finds it by. Whichever is last unmaps what munmap() has not.
using SharedMapping = std::shared_ptr<sys::Mapping>;

void drop(napi_env, void* holder, void*) { delete static_cast<SharedMapping*>(holder); }

// Tells the ArrayBuffers of mmap() from all others: what is wrapped in those would not be a mapping.
constexpr napi_type_tag kMapped = {0x6d702d6d61707065, 0x64206d656d6f7279};

Napi::ArrayBuffer to_array_buffer(Napi::Env env, SharedMapping mapping) {
  auto with_bytes = std::make_unique<SharedMapping>(mapping);
  auto buffer = Napi::ArrayBuffer::New(
      env, mapping->data(), mapping->size(), [](Napi::BasicEnv, void*, SharedMapping* holder) { delete holder; },
      with_bytes.get());
  static_cast<void>(with_bytes.release());
  auto with_object = std::make_unique<SharedMapping>(std::move(mapping));
  if (napi_wrap(env, buffer, with_object.get(), drop, nullptr, nullptr) != napi_ok) throw Napi::Error::New(env);
  static_cast<void>(with_object.release());
  buffer.TypeTag(&kMapped);
  return buffer;
}

bool is_mapped(const Napi::Value& value) {
  return value.IsArrayBuffer() && value.As<Napi::Object>().CheckTypeTag(&kMapped);
}

const SharedMapping& shared_mapping_arg(const Napi::CallbackInfo& info, size_t index) {
  if (!is_mapped(info[index])) throw Napi::TypeError::New(info.Env(), "expected an ArrayBuffer of mmap()");
  void* holder = nullptr;
  napi_unwrap(info.Env(), info[index], &holder);
  return *static_cast<SharedMapping*>(holder);
}

sys::Mapping& mapping_arg(const Napi::CallbackInfo& info, size_t index) { return *shared_mapping_arg(info, index); }

// shmOpen(name: string, flags: number, mode: number): number; the caller owns the descriptor
Napi::Value ShmOpen(const Napi::CallbackInfo& info) {
  auto fd = unwrap(info.Env(), sys::open_shared_memory(string_arg(info, 0), int_arg(info, 1), uint_arg(info, 2)));
  return Napi::Number::New(info.Env(), fd.release());
}

Napi::Value ShmUnlink(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::unlink_shared_memory(string_arg(info, 0)));
}

// makeNamelessObject(mode: number): number; the caller owns the descriptor
Napi::Value MakeNamelessObject(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::make_nameless_object(uint_arg(info, 0))).release());
}

// nameObject(fd: number, name: string)
Napi::Value NameObject(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::name_shared_memory(int_arg(info, 0), string_arg(info, 1)));
}

// memfdCreate(label: string): number; the caller owns the descriptor
Napi::Value MemfdCreate(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), unwrap(info.Env(), sys::make_memory_file(string_arg(info, 0))).release());
}

// ftruncate(fd: number, size: number)
Napi::Value Ftruncate(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::set_file_size(int_arg(info, 0), int64_arg(info, 1)));
}

// posixFallocate(fd: number, offset: number, length: number)
Napi::Value PosixFallocate(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), sys::reserve_file_space(int_arg(info, 0), int64_arg(info, 1), int64_arg(info, 2)));
}

// mmap(fd: number, length: number, protection: number, flags: number, offset: number): ArrayBuffer
Napi::Value Mmap(const Napi::CallbackInfo& info) {
  const auto length = static_cast<size_t>(int64_arg(info, 1));
  auto mapping = unwrap(info.Env(), sys::Mapping::create(int_arg(info, 0), length, int_arg(info, 2), int_arg(info, 3),
                                                         int64_arg(info, 4)));
  return to_array_buffer(info.Env(), std::make_shared<sys::Mapping>(std::move(mapping)));
}

// munmap(buffer: ArrayBuffer): every view of it has length 0 afterwards
Napi::Value Munmap(const Napi::CallbackInfo& info) {
  sys::Mapping& mapping = mapping_arg(info, 0);
  auto buffer = info[0].As<Napi::ArrayBuffer>();
  // Unmapped before; or transferred: then the bytes are another ArrayBuffer's, which unmaps them at its end.
  if (buffer.IsDetached()) throw system_error(info.Env(), {EINVAL, "munmap"});
  buffer.Detach();
  return unwrap_status(info.Env(), mapping.unmap());
}

// msync(buffer: ArrayBuffer, offset: number, length: number, flags: number); blocks with MS_SYNC
Napi::Value Msync(const Napi::CallbackInfo& info) {
  const auto offset = static_cast<size_t>(int64_arg(info, 1));
  const auto length = static_cast<size_t>(int64_arg(info, 2));
  return unwrap_status(info.Env(), mapping_arg(info, 0).sync(offset, length, int_arg(info, 3)));
}

// discardWrites(buffer: ArrayBuffer): a private mapping shows its file again
Napi::Value DiscardWrites(const Napi::CallbackInfo& info) {
  return unwrap_status(info.Env(), mapping_arg(info, 0).discard_writes());
}

// guard(buffer: ArrayBuffer): what is past the end of its file reads as zeros, instead of SIGBUS
void Guard(const Napi::CallbackInfo& info) { mapping_arg(info, 0).guard(); }

class WordWatch : public Napi::ObjectWrap<WordWatch> {
 public:
  static void init(Napi::Env env, Napi::Object exports) {
    exports.Set("WordWatch", DefineClass(env, "WordWatch",
                                         {
                                             InstanceMethod<&WordWatch::Fd>("fd"),
                                             InstanceMethod<&WordWatch::Start>("start"),
                                             InstanceMethod<&WordWatch::Changed>("changed"),
                                             InstanceMethod<&WordWatch::Stop>("stop"),
                                             InstanceMethod<&WordWatch::Close>("close"),
                                         }));
  }

  explicit WordWatch(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<WordWatch>(info), watch_(unwrap(info.Env(), ipc::WordWatch::create())) {}

  // Its threads go: a Worker may have ended.
  ~WordWatch() override { close(); }

 private:
  // fd(): number; it stays the watch's
  Napi::Value Fd(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), watch_->fd()); }

  // start(ticket: number, buffer: ArrayBuffer, byteOffset: number, expected: number); a buffer of mmap()
  Napi::Value Start(const Napi::CallbackInfo& info) {
    SharedMapping mapping = shared_mapping_arg(info, 1);
    const auto offset = static_cast<size_t>(int64_arg(info, 2));
    if (offset % 4 != 0 || offset > mapping->size() || mapping->size() - offset < 4) {
      throw Napi::RangeError::New(info.Env(), "outside the mapping");
    }
    const auto* word = reinterpret_cast<const uint32_t*>(mapping->data() + offset);
    return unwrap_status(info.Env(),
                         ipc::WordWatch::start(watch_, uint_arg(info, 0), word, uint_arg(info, 3), std::move(mapping)));
  }

  // changed(): number[]; tickets
  Napi::Value Changed(const Napi::CallbackInfo& info) {
    const auto tickets = watch_->changed();
    auto array = Napi::Array::New(info.Env(), tickets.size());
    for (uint32_t i = 0; i < tickets.size(); ++i) array[i] = Napi::Number::New(info.Env(), tickets[i]);
    return array;
  }

  // stop(ticket: number)
  void Stop(const Napi::CallbackInfo& info) { watch_->stop(uint_arg(info, 0)); }

  // close(): also in a forked child, where it leaves the parent's words alone
  void Close(const Napi::CallbackInfo&) { close(); }

  void close() {
    if (watch_->of_this_process()) {
      watch_->close();
    } else {
      watch_->abandon();
    }
  }

  std::shared_ptr<ipc::WordWatch> watch_;
};

// isMapped(value: unknown): boolean
Napi::Value IsMapped(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), is_mapped(info[0])); }

}  // namespace

void init_memory(Napi::Env env, Napi::Object exports) {
  WordWatch::init(env, exports);
  export_function<ShmOpen>(env, exports, "shmOpen");
  export_function<ShmUnlink>(env, exports, "shmUnlink");
  export_function<MakeNamelessObject>(env, exports, "makeNamelessObject");
  export_function<NameObject>(env, exports, "nameObject");
  export_function<MemfdCreate>(env, exports, "memfdCreate");
  export_function<Ftruncate>(env, exports, "ftruncate");
  export_function<PosixFallocate>(env, exports, "posixFallocate");
  export_function<Mmap>(env, exports, "mmap");
  export_function<Munmap>(env, exports, "munmap");
  export_function<Msync>(env, exports, "msync");
  export_function<DiscardWrites>(env, exports, "discardWrites");
  export_function<Guard>(env, exports, "guard");
  export_function<IsMapped>(env, exports, "isMapped");
}

}  // namespace mp::binding
