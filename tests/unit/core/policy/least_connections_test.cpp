// Whose turn it is when the fewest connections decide.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/least_connections.hpp"

#include "support/catch.hpp"

#include <map>
#include <random>
#include <vector>

namespace prong::core {
namespace {

constexpr worker_id first{1};
constexpr worker_id second{2};
constexpr worker_id third{3};

struct fixture {
  least_connections all;

  fixture() {
    for (auto const id : {first, second, third}) {
      all.join(id);
      all.ready(id);
    }
  }
  // Each who is chosen has room again at once.
  std::vector<worker_id> turns(int count) {
    std::vector<worker_id> chosen;
    while (count-- > 0) {
      chosen.push_back(all.choose().value());
      all.ready(chosen.back());
    }
    return chosen;
  }
};

using ids = std::vector<worker_id>;

TEST_CASE_METHOD(fixture, "workers with equally many connections have turns in rotation",
                 "[unit][least_connections]") {
  CHECK(turns(6) == ids{first, second, third, first, second, third});
}

TEST_CASE_METHOD(fixture, "the worker with the fewest connections gets the next",
                 "[unit][least_connections]") {
  all.load(first, 5);
  all.load(second, 3);
  all.load(third, 4);
  CHECK(turns(3) == ids{second, third, second});
  all.load(first, 0);
  CHECK(turns(2) == ids{first, first});
}

TEST_CASE_METHOD(fixture, "who has no room is passed over, however few connections it has",
                 "[unit][least_connections]") {
  all.load(second, 7);
  all.load(third, 9);
  CHECK(all.choose() == first);
  CHECK(turns(2) == ids{second, second});
  all.ready(first);
  CHECK(all.choose() == first);
}

TEST_CASE_METHOD(fixture, "what was not taken does not count", "[unit][least_connections]") {
  CHECK(all.choose() == first);
  all.give_back(first);
  all.ready(first);
  all.load(second, 1);
  all.load(third, 1);
  CHECK(all.choose() == first);
  all.give_back(worker_id{9});
  all.give_back(second);
  CHECK(all.choose() == second);
}

TEST_CASE_METHOD(fixture, "nobody is chosen twice for one word of having room",
                 "[unit][least_connections]") {
  all.ready(first);
  CHECK(all.choose() == first);
  CHECK(all.choose() == second);
  all.leave(third);
  CHECK_FALSE(all.choose());
}

TEST_CASE_METHOD(fixture, "who joins is filled up first", "[unit][least_connections]") {
  for (auto const id : {first, second, third}) all.load(id, 4);
  worker_id const fourth{4};
  all.join(fourth);
  CHECK(all.choose() == first);
  all.ready(fourth);
  CHECK(turns(4) == ids{fourth, fourth, fourth, fourth});
}

TEST_CASE("with lives of unequal length the highest and the lowest stay close",
          "[unit][least_connections]") {
  constexpr int workers = 16;
  least_connections all;
  std::map<worker_id, std::uint64_t> open;
  std::mt19937 random(1);
  std::vector<worker_id> connections;
  for (std::uint32_t id = 1; id <= workers; ++id) {
    all.join(worker_id{id});
    all.ready(worker_id{id});
    open[worker_id{id}] = 0;
  }
  for (int count = 0; count < 20'000; ++count) {
    if (connections.size() >= 4'000) {
      // Those of the first workers live the shortest.
      auto const at = std::min(random() % connections.size(), random() % connections.size());
      auto const ends = connections[at];
      connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(at));
      all.load(ends, --open[ends]);
    }
    auto const id = all.choose().value();
    all.ready(id);
    all.load(id, ++open[id]);
    connections.push_back(id);
  }
  std::uint64_t lowest = UINT64_MAX, highest = 0;
  for (auto const& [_, each] : open) {
    lowest = std::min(lowest, each);
    highest = std::max(highest, each);
  }
  CHECK(highest <= lowest + 1);
}

}  // namespace
}  // namespace prong::core
