// The slots of the pool: when each may start a worker.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/pool.hpp"

#include "support/actions.hpp"
#include "support/catch.hpp"

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using workers = std::vector<worker_id>;

struct fixture {
  static respawn_limits limits() {
    respawn_limits all;
    all.initial_delay = 100ms;
    all.max_delay = 400ms;
    all.stable_after = 10s;
    all.max_deaths = 3;
    all.interval = 10s;
    all.revive_after = 15s;
    return all;
  }

  action_queue actions;
  pool slots{limits(), 1, actions};
  time_point now{};
  std::uint32_t last = 0;

  workers resize(std::size_t size) {
    for (auto number = slots.size(); number < size; ++number) slots.add(number);
    return slots.shrink(size);
  }
  // Starts all that may start now.
  workers start() {
    workers started;
    while (slots.wants_worker(now)) {
      started.push_back(worker_id{++last});
      slots.fill(started.back());
    }
    return started;
  }
  void dies(worker_id id, std::chrono::nanoseconds lived = 0ns) {
    slots.on_gone(id, false, lived, now);
  }
  void passes(duration time) {
    now += time;
    slots.on_time(now);
  }
};

TEST_CASE_METHOD(fixture, "a pool starts as many workers as it has slots", "[unit][pool]") {
  CHECK_FALSE(slots.wants_worker(now));
  CHECK(resize(3).empty());
  CHECK(start() == workers{worker_id{1}, worker_id{2}, worker_id{3}});
  CHECK(slots.next_deadline() == never);
}

TEST_CASE_METHOD(fixture, "a larger pool starts the difference", "[unit][pool]") {
  resize(1);
  start();
  CHECK(resize(3).empty());
  CHECK(start() == workers{worker_id{2}, worker_id{3}});
}

TEST_CASE_METHOD(fixture, "a smaller pool names those that have to go", "[unit][pool]") {
  resize(3);
  start();
  CHECK(resize(1) == workers{worker_id{3}, worker_id{2}});
  slots.on_gone(worker_id{3}, true, 0ns, now);  // which is nothing to the pool any more
  CHECK(start().empty());
  CHECK(resize(0) == workers{worker_id{1}});
  CHECK(slots.size() == 0);
}

TEST_CASE_METHOD(fixture, "a slot whose worker is dead is no surplus", "[unit][pool]") {
  resize(2);
  start();
  dies(worker_id{2});
  CHECK(resize(1).empty());
}

TEST_CASE_METHOD(fixture, "the first death is answered at once, the next waits", "[unit][pool]") {
  resize(1);
  start();
  dies(worker_id{1});
  CHECK(start() == workers{worker_id{2}});
  dies(worker_id{2});
  CHECK(start().empty());
  auto const at = slots.next_deadline();
  CHECK(at >= now + 100ms);
  CHECK(at <= now + 150ms);
  now = at - 1ns;
  CHECK(start().empty());
  now = at;
  CHECK(start() == workers{worker_id{3}});
}

TEST_CASE_METHOD(fixture, "each slot has a delay of its own", "[unit][pool]") {
  resize(2);
  start();
  dies(worker_id{1});
  start();
  dies(worker_id{3});
  CHECK_FALSE(slots.wants_worker(now));
  dies(worker_id{2});  // the other slot's first death
  CHECK(start() == workers{worker_id{4}});
}

TEST_CASE_METHOD(fixture, "a worker that lived long is replaced at once", "[unit][pool]") {
  resize(1);
  start();
  dies(worker_id{1});
  start();
  now += 20s;
  dies(worker_id{2}, 20s);
  CHECK(start() == workers{worker_id{3}});
}

TEST_CASE_METHOD(fixture, "too many deaths suspend the pool, until it revives",
                 "[unit][pool][I7]") {
  resize(4);
  start();
  for (std::uint32_t id = 1; id <= 3; ++id) dies(worker_id{id});
  CHECK(test::drain(actions).empty());
  CHECK(slots.wants_worker(now));
  dies(worker_id{4});
  auto const suspended = test::events<respawn_suspended>(test::drain(actions));
  REQUIRE(suspended.size() == 1);
  CHECK(suspended[0].deaths == 4);
  CHECK(suspended[0].pause == 15s);
  CHECK(start().empty());
  CHECK(slots.next_deadline() == now + 15s);

  passes(14'999ms);
  CHECK(start().empty());
  passes(1ms);
  CHECK(test::events<respawn_resumed>(test::drain(actions)).size() == 1);
  CHECK(start().size() == 4);
}

TEST_CASE_METHOD(fixture, "deaths while suspended are not announced again", "[unit][pool]") {
  resize(8);
  start();
  for (std::uint32_t id = 1; id <= 8; ++id) dies(worker_id{id});
  CHECK(test::events<respawn_suspended>(test::drain(actions)).size() == 1);
}

TEST_CASE_METHOD(fixture, "a pool that revives has forgotten its deaths", "[unit][pool]") {
  resize(1);
  start();
  dies(worker_id{1});
  start();
  dies(worker_id{2});
  CHECK_FALSE(slots.wants_worker(now));
  slots.revive();
  CHECK(test::drain(actions).empty());  // it was not suspended
  CHECK(start() == workers{worker_id{3}});
  dies(worker_id{3});
  CHECK(start() == workers{worker_id{4}});  // the first of a new series
}

TEST_CASE_METHOD(fixture, "a deliberate stop is no death", "[unit][pool]") {
  resize(1);
  for (int i = 0; i < 100; ++i) {
    CHECK(start().size() == 1);
    slots.on_gone(worker_id{last}, true, 0ns, now);
  }
  CHECK(test::drain(actions).empty());
}

TEST_CASE_METHOD(fixture, "who is not of the pool dies without a consequence", "[unit][pool]") {
  resize(1);
  start();
  for (std::uint32_t id = 10; id < 30; ++id) dies(worker_id{id});
  CHECK(test::drain(actions).empty());
  CHECK(start().empty());
}

TEST_CASE_METHOD(fixture, "a replacement has the slot of the old worker", "[unit][pool]") {
  resize(1);
  start();
  slots.replace(worker_id{1}, worker_id{50});
  slots.on_gone(worker_id{1}, true, 0ns, now);
  CHECK(start().empty());
  dies(worker_id{50});
  CHECK(start() == workers{worker_id{2}});
  slots.replace(worker_id{99}, worker_id{100});  // had none
  CHECK(resize(0) == workers{worker_id{2}});
}

TEST_CASE("without a limit of deaths it is ten for each worker, and at least twenty",
          "[unit][pool]") {
  auto const deaths_until_suspended = [](std::size_t size) {
    action_queue actions;
    pool slots({}, 1, actions);
    for (std::size_t number = 0; number < size; ++number) slots.add(number);
    std::uint32_t last = 0;
    std::size_t deaths = 0;
    time_point now{};
    for (;;) {
      while (!slots.wants_worker(now)) now = slots.next_deadline();
      slots.fill(worker_id{++last});
      slots.on_gone(worker_id{last}, false, 1h, now);  // never young: no delay
      ++deaths;
      if (!test::drain(actions).empty()) return deaths;
    }
  };
  CHECK(deaths_until_suspended(1) == 21);
  CHECK(deaths_until_suspended(2) == 21);
  CHECK(deaths_until_suspended(5) == 51);
}

}  // namespace
}  // namespace prong::core
