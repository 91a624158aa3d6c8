#include "sys/process_status.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include "sys/descriptor.h"
#include "sys/unique_fd.h"

namespace mp::sys {

Result<ProcessStatus> process_status(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const UniqueFd file(retry_eintr([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!file.valid()) return last_error("open");
  std::array<char, 1024> text;
  const auto got = read_some(file.get(), {reinterpret_cast<uint8_t*>(text.data()), text.size() - 1});
  if (!got.ok()) return got.error();
  text[got.value().value_or(0)] = '\0';
  // Field 2 is the program's name in parentheses, which may hold any character. 3: state, 20: threads, 22: start time.
  const char* name_end = strrchr(text.data(), ')');
  ProcessStatus status;
  long threads;
  unsigned long long start_time;
  if (name_end == nullptr ||
      sscanf(name_end, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
             &status.state, &threads, &start_time) != 3) {
    return Error{EPROTO, "read"};
  }
  status.threads = static_cast<int>(threads);
  status.start_time = start_time;
  return status;
}

Result<uint64_t> pid_namespace() {
  struct stat status;
  if (stat("/proc/self/ns/pid", &status) == -1) return last_error("stat");
  return status.st_ino;
}

}  // namespace mp::sys
