// The user's function as a policy: what it is asked, when, and what comes of its answers.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/by_function.hpp"

#include "support/catch.hpp"

#include <string>

namespace prong::core {
namespace {

constexpr worker_id first{1};
constexpr worker_id second{2};

arrival from(std::uint64_t number, unsigned client = 1) {
  return {connection_id{number}, {asio::ip::address_v4(client), 1'000}};
}

struct fixture {
  std::optional<worker_id> answer;
  std::vector<unsigned> asked;  // for which clients
  std::vector<candidate> offered;
  by_function all{[this](asio::ip::tcp::endpoint const& client, std::span<candidate const> who) {
    asked.push_back(client.address().to_v4().to_uint());
    offered.assign(who.begin(), who.end());
    return answer;
  }};

  fixture() {
    all.join(first, 0);
    all.join(second, 5);
  }
};

TEST_CASE_METHOD(fixture, "the function sees the client, and who has room", "[unit][custom]") {
  all.arrived(from(1, 77));
  CHECK_FALSE(all.next());
  CHECK(asked.empty());  // nobody has room
  all.load(second, 3);
  all.ready(second);
  answer = second;
  auto const turn = all.next();
  REQUIRE(turn);
  CHECK(turn->to == second);
  CHECK(turn->what.connection == connection_id{1});
  CHECK(asked == std::vector{77u});
  REQUIRE(offered.size() == 1);
  CHECK(offered[0].id == second);
  CHECK(offered[0].slot == 5);
  CHECK(offered[0].connections == 3);
  CHECK(all.pending() == 0);
}

TEST_CASE_METHOD(fixture, "a connection that goes to somebody counts there", "[unit][custom]") {
  for (auto const id : {first, second}) all.ready(id);
  all.arrived(from(1));
  all.arrived(from(2));
  answer = first;
  CHECK(all.next());
  CHECK_FALSE(all.next());  // first has no room any more
  all.ready(first);
  CHECK(all.next());
  REQUIRE(offered.size() == 2);
  CHECK(offered[1].id == first);
  CHECK(offered[1].connections == 1);
  all.give_back(first);
  all.returned(std::vector{from(2)});
  all.ready(first);
  CHECK(all.next());
  CHECK(offered[1].connections == 1);
}

TEST_CASE_METHOD(fixture, "without an answer a connection waits, and those behind it do not",
                 "[unit][custom]") {
  by_function some{[](auto const& client, auto who) -> std::optional<worker_id> {
    if (client.address().to_v4().to_uint() == 1) return std::nullopt;
    return who.front().id;
  }};
  some.join(first, 0);
  some.ready(first);
  some.arrived(from(1, 1));
  some.arrived(from(2, 2));
  auto const turn = some.next();
  REQUIRE(turn);
  CHECK(turn->what.connection == connection_id{2});
  CHECK(some.pending() == 1);
}

TEST_CASE_METHOD(fixture, "the function is asked again only when candidates have changed",
                 "[unit][custom]") {
  all.ready(first);
  all.arrived(from(1));
  CHECK_FALSE(all.next());
  CHECK_FALSE(all.next());
  all.ready(first);
  all.load(first, 0);
  CHECK_FALSE(all.next());
  CHECK(asked.size() == 1);
  all.load(first, 1);
  CHECK_FALSE(all.next());
  CHECK(asked.size() == 2);
  all.ready(second);
  CHECK_FALSE(all.next());
  CHECK(asked.size() == 3);
  all.arrived(from(2, 9));
  CHECK_FALSE(all.next());
  CHECK(asked == std::vector{1u, 1u, 1u, 9u});
}

TEST_CASE_METHOD(fixture, "the name of a busy worker means to wait for it", "[unit][custom]") {
  all.ready(second);
  all.arrived(from(1));
  answer = first;
  CHECK_FALSE(all.next());
  all.ready(first);
  CHECK(all.next().value().to == first);
}

TEST_CASE_METHOD(fixture, "a worker that was never there is nobody", "[unit][custom]") {
  all.ready(second);
  all.arrived(from(1));
  answer = worker_id{99};
  CHECK_FALSE(all.next());
  CHECK(all.pending() == 1);
  all.leave(second);
  CHECK_FALSE(all.next());
  CHECK(all.take_pending() == std::vector{connection_id{1}});
}

}  // namespace
}  // namespace prong::core
