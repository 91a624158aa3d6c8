// The tracker: a small program that outlives a tree of processes and removes the names it has left in /dev/shm.
//
//   tracker track FILE       returns once a process of its own waits for the end of FILE's tree, to remove what is
//   left.
//                            First it cleans up after dead trees that have lost their tracker
//   tracker list, clean      prints what trees that have ended have left, a path a line; clean removes it
//
// FILE is a registry (ipc/name_registry.h) as shm_open(3) names it. Exit code: 0, 1 when something failed, 2 for wrong
// use.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/name_registry.h"
#include "sys/file_lock.h"

namespace {

using mp::ipc::NameRegistry;

constexpr std::string_view kPrefix = "mp-names-";

std::vector<std::string> registries() {
  std::vector<std::string> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/dev/shm"), closedir);
  if (folder == nullptr) return found;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(kPrefix)) found.push_back(std::string("/").append(name));
  }
  return found;
}

// Dead is who has let go of the lock. Another user's registry can't be opened, and is that user's to clean.
template <typename Visit>
void for_each_dead_tree(Visit visit) {
  for (const std::string& file : registries()) {
    auto registry = NameRegistry::open(file);
    if (!registry.ok()) continue;
    const auto dead = mp::sys::try_lock_byte(registry.value().fd(), mp::ipc::kTreeLives);
    if (!dead.ok() || !dead.value()) continue;
    static_cast<void>(registry.value().refresh());
    visit(registry.value(), file);
  }
}

void ignore_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) ::signal(signal, SIG_IGN);
}

int track(const std::string& file) {
  auto registry = NameRegistry::open(file);
  if (!registry.ok()) return 1;
  const int fd = registry.value().fd();
  const auto sole = mp::sys::try_lock_byte(fd, mp::ipc::kTrackerLives);
  if (!sole.ok()) return 1;
  if (!sole.value()) return 0;  // the tree has one
  ignore_signals();
  if (chdir("/") == -1) return 1;
  const pid_t pid = fork();
  if (pid == -1) return 1;
  if (pid != 0) return 0;
  for_each_dead_tree([](const NameRegistry& dead, const std::string& own) { dead.remove_all(own); });
  if (!mp::sys::lock_byte(fd, mp::ipc::kTreeLives).ok()) return 1;
  if (!registry.value().refresh().ok()) return 1;
  registry.value().remove_all(file);
  return 0;
}

int list(bool remove) {
  for_each_dead_tree([remove](const NameRegistry& dead, const std::string& own) {
    dead.for_each_left([](const NameRegistry::Entry& entry) { std::printf("/dev/shm%s\n", entry.file.c_str()); });
    std::printf("/dev/shm%s\n", own.c_str());
    if (remove) dead.remove_all(own);
  });
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view command = count > 1 ? words[1] : "";
  if (command == "track" && count == 3) return track(words[2]);
  if ((command == "list" || command == "clean") && count == 2) return list(command == "clean");
  std::fputs("usage: tracker track FILE | list | clean\n", stderr);
  return 2;
}
