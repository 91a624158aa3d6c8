#include "sys/spawn.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "test/support/outcome.h"

using namespace mp;

namespace {

int join(const sys::Spawned& spawned) {
  int status = 0;
  CHECK(waitpid(spawned.pid, &status, 0) == spawned.pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

sys::Result<sys::Spawned> run_shell(const char* script, std::vector<sys::PassedFd> descriptors = {},
                                    const char* directory = nullptr) {
  std::string shell = "sh", option = "-c", code = script, variable = "GREETING=hello";
  char* arguments[] = {shell.data(), option.data(), code.data(), nullptr};
  char* environment[] = {variable.data(), nullptr};
  return sys::spawn({.file = "/bin/sh",
                     .arguments = arguments,
                     .environment = environment,
                     .directory = directory,
                     .descriptors = descriptors});
}

}  // namespace

TEST_CASE("a spawned program has its arguments, environment and directory, and ends under its pidfd") {
  auto spawned = test::must(run_shell("test \"$GREETING\" = hello && test \"$(pwd)\" = / && exit 7", {}, "/"));
  pollfd watched{.fd = spawned.pidfd.get(), .events = POLLIN, .revents = 0};
  CHECK(poll(&watched, 1, -1) == 1);
  CHECK(join(spawned) == 7);
}

TEST_CASE("it has the descriptors that were passed, and none that is close-on-exec here") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const sys::UniqueFd reader(fcntl(ends[0], F_DUPFD_CLOEXEC, 50)), writer(ends[1]);
  close(ends[0]);
  const std::string script = "test -p /proc/$$/fd/40 && test ! -e /proc/$$/fd/" + std::to_string(reader.get());
  auto spawned = test::must(run_shell(script.c_str(), {{writer.get(), 40}}));
  CHECK(join(spawned) == 0);
}

TEST_CASE("a descriptor may keep its number") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const sys::UniqueFd reader(ends[0]);
  sys::UniqueFd writer(ends[1]);
  const std::string script = "echo kept >&" + std::to_string(writer.get());
  auto spawned = test::must(run_shell(script.c_str(), {{writer.get(), writer.get()}}));
  writer.reset();
  char text[8] = {};
  CHECK(read(reader.get(), text, sizeof(text) - 1) == 5);
  CHECK(join(spawned) == 0);
}

TEST_CASE("signals that are blocked or ignored here are not so in the new program") {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto ignored = signal(SIGINT, SIG_IGN);
  auto first = test::must(run_shell("kill -TERM $$; exit 1"));
  auto second = test::must(run_shell("kill -INT $$; exit 1"));
  signal(SIGINT, ignored);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  CHECK(join(first) == -SIGTERM);
  CHECK(join(second) == -SIGINT);
}

TEST_CASE("what can't be executed is the caller's error") {
  char* nothing[] = {nullptr};
  const auto spawn = [&](const char* file, const char* directory) {
    return test::failure(sys::spawn(
        {.file = file, .arguments = nothing, .environment = nothing, .directory = directory, .descriptors = {}}));
  };
  CHECK(spawn("/nowhere", nullptr) == "posix_spawn: ENOENT");
  CHECK(spawn("/etc/passwd", nullptr) == "posix_spawn: EACCES");
  CHECK(spawn("/bin/sh", "/nowhere") == "posix_spawn: ENOENT");
}
