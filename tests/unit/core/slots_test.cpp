// Which slot a worker has.
// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "unit/core/scripted_primary.hpp"

#include <map>

namespace prong::core {
namespace {

using namespace std::chrono_literals;

struct fixture : scripted_primary {
  explicit fixture(std::size_t workers = 0) : scripted_primary(pool_of(workers)) {
    if (workers > 0) call([](primary_core& each) { each.run(); });
    for (auto const id : spawned()) comes_up(id);
    forget();
  }
  std::size_t slot_of(worker_id id) const {
    for (auto const& each : core.workers())
      if (each.id == id) return each.slot;
    FAIL("there is no such worker");
    return 0;
  }
  worker_id fork() {
    auto const id = call([](primary_core& each) { return each.fork(); });
    comes_up(id);
    return id;
  }
  worker_id last() const { return spawned().back(); }
};

struct pool_of_three : fixture {
  pool_of_three() : fixture(3) {}
};

TEST_CASE_METHOD(fixture, "workers that are forked have the slots from 0", "[unit][slots]") {
  CHECK(slot_of(fork()) == 0);
  CHECK(slot_of(fork()) == 1);
  CHECK(slot_of(fork()) == 2);
}

TEST_CASE_METHOD(fixture, "who is forked has the lowest slot that is free", "[unit][slots]") {
  auto const first = fork();
  auto const second = fork();
  fork();
  dies(second);
  CHECK(slot_of(fork()) == 1);
  dies(first);
  CHECK(slot_of(fork()) == 0);
}

TEST_CASE_METHOD(fixture, "a slot is free when its worker drains", "[unit][slots]") {
  auto const first = fork();
  call([&](primary_core& each) { each.stop(first); });
  CHECK(slot_of(fork()) == 0);
}

TEST_CASE_METHOD(pool_of_three, "a successor has the slot of the dead worker", "[unit][slots]") {
  dies(worker_id{2});
  dies(worker_id{1});
  CHECK(slot_of(worker_id{4}) == 1);
  CHECK(slot_of(worker_id{5}) == 0);
  CHECK(slot_of(worker_id{3}) == 2);
}

TEST_CASE_METHOD(pool_of_three, "the slot of a dead worker waits for its successor",
                 "[unit][slots]") {
  dies(worker_id{2});
  dies(worker_id{4});  // its second successor has to wait
  CHECK(slot_of(fork()) == 3);
  passes(1s);
  CHECK(slot_of(last()) == 1);
}

TEST_CASE_METHOD(pool_of_three, "a reload changes no slots", "[unit][slots]") {
  call([](primary_core& each) { return each.reload(); });
  std::map<worker_id, std::size_t> slots;
  for (std::uint32_t old = 1; old <= 3; ++old) {
    auto const next = last();
    CHECK(slot_of(next) == slot_of(worker_id{old}));
    comes_up(next);
    drains_and_ends(worker_id{old});
  }
  for (auto const& each : core.workers()) slots[each.id] = each.slot;
  CHECK(slots ==
        std::map<worker_id, std::size_t>{{worker_id{4}, 0}, {worker_id{5}, 1}, {worker_id{6}, 2}});
}

TEST_CASE_METHOD(pool_of_three, "a pool that shrinks and grows has the same slots again",
                 "[unit][slots]") {
  call([](primary_core& each) { each.resize(1); });
  call([](primary_core& each) { each.resize(3); });
  CHECK(slot_of(worker_id{4}) == 1);
  CHECK(slot_of(worker_id{5}) == 2);
}

}  // namespace
}  // namespace prong::core
