// Whose turn it is.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/round_robin.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <vector>

namespace prong::core {
namespace {

using turns = std::vector<unsigned>;

round_robin with_workers(unsigned count) {
  round_robin policy;
  for (unsigned id = 1; id <= count; ++id) {
    policy.join(worker_id{id});
    policy.ready(worker_id{id});
  }
  return policy;
}

// Each worker is ready again at once, as when connections come one after the other.
turns sequential(round_robin& policy, unsigned count) {
  turns chosen;
  for (unsigned i = 0; i < count; ++i) {
    auto const id = policy.choose();
    REQUIRE(id);
    policy.ready(*id);
    chosen.push_back(static_cast<unsigned>(*id));
  }
  return chosen;
}

TEST_CASE("one connection after the other goes round strictly", "[unit][round_robin]") {
  auto policy = with_workers(3);
  CHECK(sequential(policy, 9) == turns{1, 2, 3, 1, 2, 3, 1, 2, 3});
}

TEST_CASE("400 connections over 4 workers are exactly 100 each, in whatever order they are ready",
          "[unit][round_robin]") {
  auto policy = with_workers(4);
  std::minstd_rand random(7);
  std::map<worker_id, int> count;
  for (int round = 0; round < 100; ++round) {
    std::vector<worker_id> busy;
    for (int i = 0; i < 4; ++i) busy.push_back(policy.choose().value());
    std::shuffle(busy.begin(), busy.end(), random);
    for (auto const id : busy) {
      ++count[id];
      policy.ready(id);
    }
  }
  CHECK(count ==
        std::map<worker_id, int>{
            {worker_id{1}, 100}, {worker_id{2}, 100}, {worker_id{3}, 100}, {worker_id{4}, 100}});
}

TEST_CASE("nobody has a turn who is not ready", "[unit][round_robin]") {
  auto policy = with_workers(2);
  CHECK(policy.choose() == worker_id{1});
  CHECK(policy.choose() == worker_id{2});
  CHECK_FALSE(policy.choose());
  policy.ready(worker_id{2});
  policy.ready(worker_id{2});  // says so again
  CHECK(policy.choose() == worker_id{2});
  CHECK_FALSE(policy.choose());
}

TEST_CASE("who joins is not ready yet", "[unit][round_robin]") {
  round_robin policy;
  policy.join(worker_id{1});
  CHECK_FALSE(policy.choose());
}

TEST_CASE("a worker that was busy has the turns it missed", "[unit][round_robin]") {
  auto policy = with_workers(2);
  CHECK(policy.choose() == worker_id{1});  // and is busy for five turns of the other
  CHECK(sequential(policy, 6) == turns{2, 2, 2, 2, 2, 2});
  policy.ready(worker_id{1});
  CHECK(sequential(policy, 8) == turns{1, 1, 1, 1, 1, 2, 1, 2});
}

TEST_CASE("a long pause does not bring a flood", "[unit][round_robin]") {
  auto policy = with_workers(2);
  CHECK(policy.choose() == worker_id{1});
  sequential(policy, 1'000);
  policy.ready(worker_id{1});
  auto const chosen = sequential(policy, round_robin::max_debt + 4);
  auto const first_other = std::find(chosen.begin(), chosen.end(), 2u);
  CHECK(static_cast<std::uint64_t>(first_other - chosen.begin()) == round_robin::max_debt);
  CHECK(std::count(first_other, chosen.end(), 2u) == 2);  // and then in turn
}

TEST_CASE("who joins late is level with the others", "[unit][round_robin]") {
  auto policy = with_workers(2);
  sequential(policy, 50);
  policy.join(worker_id{3});
  policy.ready(worker_id{3});
  CHECK(sequential(policy, 6) == turns{1, 2, 3, 1, 2, 3});
}

TEST_CASE("a ready worker that leaves has no turn any more", "[unit][round_robin]") {
  auto policy = with_workers(4);
  policy.leave(worker_id{2});
  CHECK(sequential(policy, 6) == turns{1, 3, 4, 1, 3, 4});
  policy.leave(worker_id{3});
  policy.leave(worker_id{1});
  policy.leave(worker_id{4});
  CHECK_FALSE(policy.choose());
}

TEST_CASE("a busy worker that leaves can join again", "[unit][round_robin]") {
  auto policy = with_workers(1);
  CHECK(policy.choose() == worker_id{1});
  policy.leave(worker_id{1});
  policy.give_back(worker_id{1});  // its answer comes after its end
  policy.join(worker_id{1});
  CHECK_FALSE(policy.choose());
  policy.ready(worker_id{1});
  CHECK(policy.choose() == worker_id{1});
}

TEST_CASE("a turn that is given back does not count", "[unit][round_robin]") {
  auto policy = with_workers(2);
  CHECK(policy.choose() == worker_id{1});
  CHECK(policy.choose() == worker_id{2});  // and is busy now
  policy.ready(worker_id{1});
  for (int i = 0; i < 5; ++i) {
    CHECK(policy.choose() == worker_id{1});
    policy.give_back(worker_id{1});
    policy.ready(worker_id{1});
  }
  policy.ready(worker_id{2});
  CHECK(sequential(policy, 4) == turns{2, 1, 2, 1});
}

TEST_CASE("256 workers have ten turns each of 2560", "[unit][round_robin]") {
  auto policy = with_workers(256);
  turns one_round(256);
  std::iota(one_round.begin(), one_round.end(), 1u);
  for (int round = 0; round < 10; ++round) CHECK(sequential(policy, 256) == one_round);
}

}  // namespace
}  // namespace prong::core
