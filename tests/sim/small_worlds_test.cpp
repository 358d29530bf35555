// Small worlds, all of them: every order in which the first things can happen, not only drawn ones.
// SPDX-License-Identifier: BSL-1.0
#include "sim/scenario.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace prong::sim {
namespace {

struct bounds {
  std::size_t workers;
  std::size_t connections;
  std::size_t deaths;
  std::size_t depth;  // how many choices are enumerated; what comes after takes the first each time
};

// A life in which each choice is one of: what the system or a worker does next, a client, a death.
outcome live(all_choices& from, bounds const& size) {
  scenario one(from);
  auto& world = one.in();
  world.spawned_run([&](process& self, asio::io_context& io) {
    return std::make_unique<program>(world, self, io, habits{});
  });
  options settings;
  settings.workers = size.workers;
  settings.max_pending_connections = 1;
  one.begin(settings, scheduling::round_robin);
  one.as_primary([&] { one.boss().run(); });
  one.run_for(duration(0));  // until the workers listen
  from.enumerate(true);
  auto connections = size.connections;
  auto deaths = size.deaths;
  while (!world.os.failed()) {
    auto const count = world.count_possible();
    one.check();
    bool const listens = !world.os.listening_on(80).empty();
    auto const victims = deaths > 0 ? world.workers() : std::vector<process*>{};
    auto const clients = connections > 0 && listens ? 1u : 0u;
    if (count + clients + victims.size() == 0) {
      if (connections == 0 || !world.advance(world.os.now + std::chrono::seconds(20))) break;
      continue;
    }
    auto const chosen = from.pick(count + clients + victims.size());
    if (chosen < count) {
      world.happen(chosen);
    } else if (chosen < count + clients) {
      world.os.connect(80);
      --connections;
    } else {
      world.end(*victims[chosen - count - clients], 128 + 9, 9);
      --deaths;
    }
  }
  from.enumerate(false);
  one.recover();
  one.shut_down();
  one.check_nothing_left();
  return one.result();
}

// Returns how many runs there were.
std::uint64_t live_all(bounds const& size) {
  all_choices from(size.depth);
  std::uint64_t runs = 0;
  do {
    auto const result = live(from, size);
    ++runs;
    if (!result.failure.empty())
      FAIL("run " << runs << " breaks " << result.failure << "\nThe last events:\n"
                  << result.trace);
  } while (from.advance());
  std::printf("%zu workers, %zu connections, %zu deaths, %zu choices: %llu runs\n", size.workers,
              size.connections, size.deaths, size.depth, static_cast<unsigned long long>(runs));
  return runs;
}

// PRONG_SIM_DEPTH: how many more choices than usual, for the whole enumeration, or how many fewer,
// where this is slow: each takes three times as long.
std::size_t depth_from(int usual) {
  char const* const set = std::getenv("PRONG_SIM_DEPTH");
  return static_cast<std::size_t>(std::max(1, usual + (set ? std::atoi(set) : 0)));
}

}  // namespace

TEST_CASE("one worker that may die, two connections: no order breaks an invariant",
          "[sim][I1][I2][I3][I4]") {
  CHECK(live_all({1, 2, 1, depth_from(10)}) > 1'000);
}

TEST_CASE("two workers of which one may die, two connections: no order breaks an invariant",
          "[sim][I1][I2][I3][I4]") {
  CHECK(live_all({2, 2, 1, depth_from(8)}) > 1'000);
}

}  // namespace prong::sim
