#include "ipc/process_table.h"

#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "ipc/region.h"
#include "sys/process.h"
#include "test/support/byte_pipe.h"
#include "test/support/child.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

class TestTable {
 public:
  ipc::ProcessTable* operator->() const { return &region_->processes(); }
  ipc::UserToken enter() const { return test::must(region_->processes().enter()); }
  // Of a process that has ended.
  ipc::UserToken enter_and_die() const {
    const uint32_t before = region_->processes().used;
    REQUIRE(test::in_child([&] { return enter() == ipc::kNoUser ? 1 : 0; }) == 0);
    REQUIRE(region_->processes().used == before + 1);
    return before | 1u << 12;
  }

 private:
  ipc::SharedRegion region_ = test::must(ipc::Region::arena(4096));
};

}  // namespace

TEST_CASE("a token names its process and not its children") {
  const TestTable table;
  const ipc::UserToken own = table.enter();
  CHECK(own != ipc::kNoUser);
  CHECK(own < 1u << 31);
  CHECK(table->pid_of(own) == sys::process_id());
  CHECK(table.enter() == own);
  CHECK_FALSE(table->is_dead(own));
  CHECK(test::in_child([&] {
          const ipc::UserToken token = table.enter();
          return token != own && !table->is_dead(own) && table->pid_of(token) == getpid() ? 0 : 1;
        }) == 0);
}

TEST_CASE("a process is dead once it has ended, reaped or not") {
  const TestTable table;
  test::BytePipe entered, never;
  test::Child child([&] {
    never.close_write_end();
    table.enter();
    entered.send();
    never.receive();
    return 0;
  });
  entered.close_write_end();
  REQUIRE(entered.receive());
  const ipc::UserToken token = 1u << 12;
  CHECK(table->pid_of(token) == child.pid());
  CHECK_FALSE(table->is_dead(token));
  kill(child.pid(), SIGKILL);
  siginfo_t info;
  REQUIRE(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) == 0);
  CHECK(table->is_dead(token));
  child.join();
  CHECK(table->is_dead(token));
}

TEST_CASE("a pid that is another process's by now is dead, whatever its start time was") {
  for (const uint64_t earlier : {uint64_t{1}, uint64_t{1024}, uint64_t{1} << 40}) {
    const TestTable table;
    const ipc::UserToken own = table.enter();
    table->entries[ipc::index_of(own)].low -= earlier;
    CHECK(table->is_dead(own));
    CHECK(table.enter() != own);
  }
}

TEST_CASE("entries of the dead are used again, under other tokens; those of the living are not") {
  const TestTable table;
  const ipc::UserToken own = table.enter();
  std::set<ipc::UserToken> dead;
  for (int i = 0; i < 63; ++i) dead.insert(table.enter_and_die());
  REQUIRE(table->used == 64);
  for (int i = 0; i < 200; ++i) {
    CHECK(test::in_child([&] {
            const ipc::UserToken token = table.enter();
            return dead.contains(token) || token == own ? 1 : 0;
          }) == 0);
  }
  CHECK(table->used == 64);
  CHECK(table.enter() == own);
  for (const ipc::UserToken token : dead) CHECK(table->is_dead(token));
}

TEST_CASE("a full table of living processes is said to be full") {
  const TestTable table;
  const ipc::ProcessEntry alive = [&] {
    const ipc::UserToken own = table.enter();
    return table->entries[ipc::index_of(own)];
  }();
  test::BytePipe never;
  // The parent's entries, all of them; the child has none.
  for (uint32_t i = 0; i < ipc::kMostProcesses; ++i) table->entries[i] = alive;
  table->used = ipc::kMostProcesses;
  CHECK(test::in_child([&] { return table->enter().ok() ? 1 : table->enter().error().number; }) == ENOSPC);
}
