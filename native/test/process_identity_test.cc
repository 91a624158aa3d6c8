#include "ipc/process_identity.h"

#include <doctest/doctest.h>

#include "sys/process.h"
#include "sys/process_status.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

TEST_CASE("an identity names its process and not its children") {
  const ipc::ProcessIdentity own = test::must(ipc::own_identity());
  CHECK(own.pid == static_cast<uint32_t>(sys::process_id()));
  CHECK(test::must(ipc::own_identity()).start_time == own.start_time);
  CHECK_FALSE(ipc::has_ended(own));
  CHECK(test::in_child([&] {
          const auto child = ipc::own_identity();
          return child.ok() && child.value().pid != own.pid && !ipc::has_ended(own) ? 0 : 1;
        }) == 0);
}

TEST_CASE("a process has ended once it is gone, reaped or not") {
  test::BytePipe never;
  test::Child child([&] {
    never.close_write_end();
    never.receive();
    return 0;
  });
  ipc::ProcessIdentity identity = test::must(ipc::own_identity());
  identity.pid = static_cast<uint32_t>(child.pid());
  identity.start_time = test::must(sys::process_status(child.pid())).start_time;
  CHECK_FALSE(ipc::has_ended(identity));
  kill(child.pid(), SIGKILL);
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(ipc::has_ended(identity));
  child.join();
  CHECK(ipc::has_ended(identity));
}

TEST_CASE("a process whose pid is another one's by now has ended, however alike their start times") {
  const ipc::ProcessIdentity own = test::must(ipc::own_identity());
  for (const uint64_t difference : {1u, 512u, 1024u, 1u << 22}) {
    ipc::ProcessIdentity earlier = own;
    earlier.start_time -= difference;
    CHECK(ipc::has_ended(earlier));
  }
}

TEST_CASE("nothing is known of a process of another namespace") {
  ipc::ProcessIdentity stranger = test::must(ipc::own_identity());
  stranger.start_time += 1;
  stranger.pid_namespace += 1;
  CHECK_FALSE(ipc::has_ended(stranger));
}
