// How long a slot waits after a death, and when the whole pool stops.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/backoff.hpp"

#include "support/catch.hpp"

#include <set>

namespace prong::core {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the first death is answered at once, and each further one after twice the delay",
          "[unit][backoff]") {
  respawn_limits limits;
  limits.initial_delay = 50ms;
  limits.max_delay = 500ms;
  for (std::uint_fast32_t seed = 1; seed <= 50; ++seed) {
    std::minstd_rand random(seed);
    backoff delay;
    CHECK(delay.next(limits, 1ms, random) == 0ms);
    for (auto const expected : {50ms, 100ms, 200ms, 400ms, 500ms, 500ms, 500ms}) {
      auto const is = delay.next(limits, 1ms, random);
      CHECK(is >= expected);
      CHECK(is <= expected + expected / 2);
    }
  }
}

TEST_CASE("the jitter uses all of its half", "[unit][backoff]") {
  respawn_limits limits;
  limits.initial_delay = 10ms;
  std::minstd_rand random(3);
  std::set<duration> seen;
  for (int i = 0; i < 300; ++i) {
    backoff delay;
    delay.next(limits, 0ms, random);
    seen.insert(delay.next(limits, 0ms, random));
  }
  CHECK(seen == std::set<duration>{10ms, 11ms, 12ms, 13ms, 14ms, 15ms});
}

TEST_CASE("a worker that lived long enough starts the series anew", "[unit][backoff]") {
  respawn_limits limits;
  limits.initial_delay = 50ms;
  limits.stable_after = 1s;
  std::minstd_rand random(1);
  backoff delay;
  for (int i = 0; i < 5; ++i) delay.next(limits, 999ms, random);
  CHECK(delay.next(limits, 999ms, random) > 50ms);
  CHECK(delay.next(limits, 1s, random) == 0ms);
  CHECK(delay.next(limits, 0ms, random) >= 50ms);
}

TEST_CASE("a delay of nothing stays nothing", "[unit][backoff]") {
  respawn_limits limits;
  limits.initial_delay = limits.max_delay = 0ms;
  std::minstd_rand random(1);
  backoff delay;
  for (int i = 0; i < 100; ++i) CHECK(delay.next(limits, 0ms, random) == 0ms);
}

TEST_CASE("a delay grows to the end of its bound without overflow", "[unit][backoff]") {
  respawn_limits limits;
  limits.initial_delay = 1ms;
  limits.max_delay = 24h;
  std::minstd_rand random(1);
  backoff delay;
  duration last{};
  for (int i = 0; i < 1'000; ++i) last = delay.next(limits, 0ms, random);
  CHECK(last >= 24h);
  CHECK(last <= 36h);
}

TEST_CASE("the breaker opens at one death more than the limit within the interval",
          "[unit][backoff][I7]") {
  breaker breaks;
  time_point now{};
  CHECK_FALSE(breaks.on_death(now, 2, 10s));
  CHECK_FALSE(breaks.on_death(now + 5s, 2, 10s));
  CHECK(breaks.on_death(now + 10s, 2, 10s));
  CHECK_FALSE(breaks.on_death(now + 10s, 2, 10s));  // the count starts anew
}

TEST_CASE("deaths that are long ago do not count", "[unit][backoff]") {
  breaker breaks;
  time_point now{};
  for (int i = 0; i < 100; ++i) {
    now += 6s;
    CHECK_FALSE(breaks.on_death(now, 2, 10s));
  }
}

TEST_CASE("a breaker that is reset has seen no death", "[unit][backoff]") {
  breaker breaks;
  CHECK_FALSE(breaks.on_death({}, 1, 10s));
  breaks.reset();
  CHECK_FALSE(breaks.on_death({}, 1, 10s));
  CHECK(breaks.on_death({}, 1, 10s));
}

}  // namespace
}  // namespace prong::core
