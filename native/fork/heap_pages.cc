#include "fork/heap_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sys/unique_fd.h"

namespace mp::fork {

namespace {

struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

// One line of /proc/self/maps (proc_pid_maps(5)): "begin-end perms offset device inode   path".
class MapsLine {
 public:
  explicit MapsLine(std::string_view line) : line_(line) {}

  // The range, when the mapping is private memory without a file, and not one of the kernel's own ([vvar], [vdso]).
  bool private_anonymous(Range* range) {
    range->begin = number(16);
    ++at_;  // '-'
    range->end = number(16);
    const std::string_view permissions = word();
    word();  // offset
    word();  // device
    const std::string_view inode = word();
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
    const std::string_view name = line_.substr(at_);
    return permissions.size() == 4 && permissions[3] == 'p' && inode == "0" &&
           (name.empty() || name.starts_with("[anon"));
  }

 private:
  uintptr_t number(int base) {
    uintptr_t value = 0;
    const auto [end, error] = std::from_chars(line_.data() + at_, line_.data() + line_.size(), value, base);
    if (error == std::errc()) at_ = end - line_.data();
    return value;
  }
  std::string_view word() {
    while (at_ < line_.size() && line_[at_] == ' ') ++at_;
    const size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != ' ') ++at_;
    return line_.substr(begin, at_ - begin);
  }

  std::string_view line_;
  size_t at_ = 0;
};

sys::Status reveal(Range range) {
  if (range.begin == range.end) return sys::done();
  return sys::check(madvise(reinterpret_cast<void*>(range.begin), range.end - range.begin, MADV_DOFORK), "madvise");
}

}  // namespace

sys::Status reveal_heap_to_children() {
  const sys::UniqueFd maps(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  if (!maps.valid()) return sys::last_error("open");
  // On the stack and small: each page of it that is written after a fork is copied.
  std::array<char, 8 * 1024> buffer;
  size_t filled = 0;
  Range pending;  // neighbours go in one call
  for (;;) {
    const ssize_t count =
        sys::retry_eintr([&] { return read(maps.get(), buffer.data() + filled, buffer.size() - filled); });
    if (count < 0) return sys::last_error("read");
    if (count == 0) return reveal(pending);
    filled += count;
    std::string_view rest(buffer.data(), filled);
    for (size_t length; (length = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(length + 1)) {
      Range range;
      if (!MapsLine(rest.substr(0, length)).private_anonymous(&range)) continue;
      if (range.begin == pending.end) {
        pending.end = range.end;
        continue;
      }
      if (auto status = reveal(pending); !status.ok()) return status;
      pending = range;
    }
    filled = rest.size();
    std::memmove(buffer.data(), rest.data(), filled);
  }
}

}  // namespace mp::fork
