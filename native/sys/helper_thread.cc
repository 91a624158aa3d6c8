#include "sys/helper_thread.h"

#include <pthread.h>
#include <signal.h>

#include <memory>

namespace mp::sys {

namespace {

constexpr size_t kStackBytes = 128 * 1024;
// As /proc/self/task/*/comm shows it to whoever looks for threads that forked children would lack.
constexpr const char* kName = "mp-helper";

struct Start {
  void (*body)(void*);
  void* argument;
};

void* run(void* raw) {
  const auto start = std::unique_ptr<Start>(static_cast<Start*>(raw));
  start->body(start->argument);
  return nullptr;
}

}  // namespace

Status start_helper_thread(void (*body)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  auto start = std::make_unique<Start>(Start{body, argument});
  sigset_t all, before;
  sigfillset(&all);
  // A thread inherits the mask of the one that makes it.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int failed = pthread_create(&thread, &attributes, run, start.get());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed == 0) pthread_setname_np(thread, kName);
  pthread_attr_destroy(&attributes);
  if (failed != 0) return Error{failed, "pthread_create"};
  static_cast<void>(start.release());
  return done();
}

}  // namespace mp::sys
