#include "sys/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "sys/process_fd.h"

namespace mp::sys {

namespace {

// These return an errno.
Status succeeded(int number) {
  if (number != 0) return Error{number, "posix_spawn"};
  return done();
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  Status fill(const SpawnRequest& request) {
    if (request.directory != nullptr) {
      auto status = succeeded(posix_spawn_file_actions_addchdir_np(&actions_, request.directory));
      if (!status.ok()) return status;
    }
    for (const auto [from, to] : request.descriptors) {
      auto status = succeeded(posix_spawn_file_actions_adddup2(&actions_, from, to));
      if (!status.ok()) return status;
    }
    return done();
  }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

}  // namespace

Result<Spawned> spawn(const SpawnRequest& request) {
  FileActions actions;
  if (auto status = actions.fill(request); !status.ok()) return status.error();
  const Attributes attributes;
  pid_t pid = 0;
  const int outcome =
      posix_spawn(&pid, request.file, actions.get(), attributes.get(), request.arguments, request.environment);
  if (auto status = succeeded(outcome); !status.ok()) return status.error();
  auto pidfd = open_pidfd(pid);
  if (pidfd.ok()) return Spawned{pid, std::move(pidfd).value()};
  // No descriptor is left: a process that nobody could wait for must not go on.
  kill(pid, SIGKILL);
  retry_eintr([pid] { return waitpid(pid, nullptr, 0); });
  return pidfd.error();
}

}  // namespace mp::sys
