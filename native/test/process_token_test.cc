#include "ipc/process_token.h"

#include <doctest/doctest.h>

#include "sys/process.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("a token names its process and not its children") {
  const ipc::ProcessToken own = test::must(ipc::own_token());
  CHECK(own != ipc::kNobody);
  CHECK(ipc::pid_of(own) == sys::process_id());
  CHECK(test::must(ipc::own_token()) == own);
  CHECK_FALSE(ipc::is_dead(own));
  CHECK(test::in_child([&] {
          const auto token = ipc::own_token();
          return token.ok() && token.value() != own && !ipc::is_dead(own) ? 0 : 1;
        }) == 0);
}

TEST_CASE("a process is dead once it has ended, reaped or not") {
  test::BytePipe never;
  test::Child child([&] {
    never.close_write_end();
    never.receive();
    return 0;
  });
  const auto token = [&] {
    // The child's, made here: what it would say of itself.
    ipc::ProcessToken found = ipc::kNobody;
    for (uint32_t start = 0; start < 1024 && found == ipc::kNobody; ++start) {
      const ipc::ProcessToken guess = static_cast<uint32_t>(child.pid()) | start << 22;
      if (!ipc::is_dead(guess)) found = guess;
    }
    return found;
  }();
  REQUIRE(token != ipc::kNobody);
  CHECK_FALSE(ipc::is_dead(token));
  kill(child.pid(), SIGKILL);
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(ipc::is_dead(token));
  child.join();
  CHECK(ipc::is_dead(token));
}

TEST_CASE("a pid that is another process's by now is dead") {
  const ipc::ProcessToken own = test::must(ipc::own_token());
  const ipc::ProcessToken earlier = own ^ (1u << 31);  // the same pid, another start time
  CHECK(ipc::pid_of(earlier) == sys::process_id());
  CHECK(ipc::is_dead(earlier));
}
