#include "ipc/word_watch.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <set>
#include <vector>

#include "sys/futex.h"
#include "test/support/outcome.h"

using namespace mp;

namespace {

struct Words {
  alignas(64) std::vector<uint32_t> all;
};

void change(uint32_t& word) {
  std::atomic_ref(word).fetch_add(1);
  static_cast<void>(sys::futex_wake(&word, 1));
}

// Waits for the descriptor, as an event loop does.
std::vector<ipc::WordWatch::Ticket> next_changes(ipc::WordWatch& watch) {
  pollfd request{watch.fd(), POLLIN, 0};
  REQUIRE(poll(&request, 1, 20'000) == 1);
  return watch.changed();
}

}  // namespace

TEST_CASE("words that change are told by their tickets, however many are watched") {
  constexpr uint32_t kCount = 300;
  const auto memory = std::make_shared<Words>(Words{std::vector<uint32_t>(kCount)});
  const auto watch = test::must(ipc::WordWatch::create());
  for (uint32_t i = 0; i < kCount; ++i) {
    test::must(ipc::WordWatch::start(watch, i, &memory->all[i], 0, memory));
  }
  for (uint32_t i = 0; i < kCount; i += 2) change(memory->all[i]);
  std::set<uint32_t> told;
  while (told.size() < kCount / 2) {
    for (const uint32_t ticket : next_changes(*watch)) {
      CHECK(ticket % 2 == 0);
      CHECK(told.insert(ticket).second);
    }
  }
  for (uint32_t i = 1; i < kCount - 1; i += 2) watch->stop(i);
  for (uint32_t i = 1; i < kCount; i += 2) change(memory->all[i]);
  CHECK(next_changes(*watch) == std::vector<uint32_t>{kCount - 1});
  watch->close();
}

TEST_CASE("a word that has changed already is told at once, and its memory is let go") {
  auto memory = std::make_shared<Words>(Words{{5}});
  const std::weak_ptr<Words> kept = memory;
  const auto watch = test::must(ipc::WordWatch::create());
  const uint32_t* word = &memory->all[0];
  test::must(ipc::WordWatch::start(watch, 9, word, 4, std::move(memory)));
  CHECK(next_changes(*watch) == std::vector<uint32_t>{9});
  while (!kept.expired()) {
  }
  watch->close();
}
