// Which worker is offered which connection, and where a connection is at any time.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/dispatcher.hpp"

#include "support/catch.hpp"

#include <vector>

namespace prong::core {
namespace {

constexpr worker_id first{1};
constexpr worker_id second{2};
constexpr acceptor_id door{7};

constexpr connection_id number(std::uint64_t id) {
  return connection_id{id};
}

using connections = std::vector<connection_id>;

struct fixture {
  dispatcher all{make_policy(scheduling::round_robin, {})};

  void arrive(std::uint64_t from, std::uint64_t to) {
    for (auto id = from; id <= to; ++id) all.arrived({number(id)});
  }
  void join_with_credit(worker_id id, std::uint32_t credits) {
    all.join(id, 0, door);
    REQUIRE(all.grant(id, door, credits));
  }
  // Everything that is offered now, all of it to `expected`.
  connections offers_to(worker_id expected) {
    connections offered;
    while (auto const next = all.next()) {
      CHECK(next->to == expected);
      CHECK(next->acceptor == door);
      offered.push_back(next->connection);
    }
    return offered;
  }
};

TEST_CASE_METHOD(fixture, "a connection waits until a worker has credit", "[unit][I1]") {
  arrive(1, 1);
  all.join(first, 0, door);
  CHECK_FALSE(all.next());
  CHECK(all.grant(first, door, 1));
  CHECK(offers_to(first) == connections{number(1)});
  CHECK(all.pending() == 0);
  CHECK(all.offered() == 1);
}

TEST_CASE_METHOD(fixture, "a credit is good for one connection", "[unit]") {
  arrive(1, 5);
  join_with_credit(first, 2);
  CHECK(offers_to(first) == connections{number(1), number(2)});
  CHECK(all.took(first, number(1)));
  CHECK_FALSE(all.next());  // ownership is no credit
  CHECK(all.grant(first, door, 1));
  CHECK(offers_to(first) == connections{number(3)});
}

TEST_CASE_METHOD(fixture, "credits wait for connections, too", "[unit]") {
  join_with_credit(first, 3);
  CHECK_FALSE(all.next());
  arrive(1, 4);
  CHECK(offers_to(first).size() == 3);
  CHECK(all.pending() == 1);
}

TEST_CASE_METHOD(fixture, "who does not answer is silent from the second look on", "[unit]") {
  join_with_credit(first, 2);
  arrive(1, 2);
  CHECK(offers_to(first).size() == 2);
  join_with_credit(second, 1);
  CHECK(all.silent().empty());
  SECTION("unless it has answered one") {
    CHECK(all.took(first, number(1)));
    CHECK(all.silent().empty());
  }
  SECTION("unless it has said that it lives") {
    CHECK(all.grant(first, door, 0));
    CHECK(all.silent().empty());
  }
  CHECK(all.silent() == std::vector{first});
}

TEST_CASE_METHOD(fixture, "nobody is silent while no other worker has nothing to do", "[unit]") {
  join_with_credit(first, 1);
  join_with_credit(second, 1);
  arrive(1, 2);
  while (all.next()) continue;
  CHECK(all.silent().empty());
  CHECK(all.silent().empty());
  CHECK(all.took(second, number(2)));  // and has no credit
  CHECK(all.silent().empty());
  CHECK(all.grant(second, door, 1));
  CHECK(all.silent() == std::vector{first});
}

TEST_CASE_METHOD(fixture, "what is recalled goes to another worker, and first", "[unit][I1][I3]") {
  join_with_credit(first, 3);
  arrive(1, 2);
  CHECK(offers_to(first).size() == 2);
  join_with_credit(second, 3);
  CHECK(all.silent().empty());
  CHECK(all.silent() == std::vector{first});
  CHECK(all.recalled(first) == 2);
  CHECK(all.offered() == 0);
  arrive(3, 3);
  CHECK(offers_to(second) == connections{number(1), number(2), number(3)});
  CHECK_FALSE(all.took(first, number(1)));
}

TEST_CASE_METHOD(fixture, "who was silent gets nothing until it says that it lives", "[unit]") {
  join_with_credit(first, 3);
  arrive(1, 1);
  CHECK(offers_to(first).size() == 1);
  CHECK(all.recalled(first) == 1);
  CHECK_FALSE(all.next());
  CHECK(all.grant(first, door, 0));
  CHECK(offers_to(first) == connections{number(1)});
}

TEST_CASE_METHOD(fixture, "who accepts no more and has lost its offers is forgotten", "[unit]") {
  join_with_credit(first, 1);
  arrive(1, 1);
  CHECK(offers_to(first).size() == 1);
  all.leave(first);
  CHECK_FALSE(all.empty());
  CHECK(all.recalled(first) == 1);
  CHECK(all.empty());
  CHECK(all.pending() == 1);
}

TEST_CASE_METHOD(fixture, "what a lost worker had not taken goes back to the front, in its order",
                 "[unit][I1][I3]") {
  arrive(1, 5);
  join_with_credit(first, 3);
  CHECK(offers_to(first).size() == 3);
  CHECK(all.took(first, number(2)));
  all.lost(first);
  CHECK(all.offered() == 0);
  CHECK(all.pending() == 4);
  join_with_credit(second, 9);
  CHECK(offers_to(second) == connections{number(1), number(3), number(4), number(5)});
}

TEST_CASE_METHOD(fixture, "what an unreadable worker may have taken is given up",
                 "[unit][I1][I2]") {
  arrive(1, 4);
  join_with_credit(first, 3);
  CHECK(offers_to(first).size() == 3);
  CHECK(all.took(first, number(1)));
  CHECK(all.abandoned(first) == connections{number(2), number(3)});
  CHECK(all.offered() == 0);
  CHECK(all.take_pending() == connections{number(4)});
  CHECK(all.empty());
}

TEST_CASE_METHOD(fixture, "a refused connection is the next one, and takes a new credit",
                 "[unit][I1]") {
  arrive(1, 2);
  join_with_credit(first, 1);
  CHECK(offers_to(first) == connections{number(1)});
  CHECK(all.refused(first, number(1)));
  CHECK_FALSE(all.next());  // who refuses is not asked again at once
  CHECK(all.pending() == 2);
  CHECK(all.offered() == 0);
  CHECK(all.grant(first, door, 2));
  CHECK(offers_to(first) == connections{number(1), number(2)});
}

TEST_CASE_METHOD(fixture, "a refused connection goes to another worker that has credit", "[unit]") {
  arrive(1, 1);
  join_with_credit(first, 1);
  CHECK(offers_to(first) == connections{number(1)});
  join_with_credit(second, 1);
  CHECK(all.refused(first, number(1)));
  CHECK(offers_to(second) == connections{number(1)});
}

TEST_CASE_METHOD(fixture, "who leaves still answers the offers it has", "[unit][I1]") {
  arrive(1, 3);
  join_with_credit(first, 3);
  CHECK(offers_to(first).size() == 3);
  all.leave(first);
  CHECK(all.accepting() == 0);
  CHECK_FALSE(all.accepts(first));
  CHECK_FALSE(all.empty());
  CHECK(all.took(first, number(1)));
  CHECK(all.refused(first, number(2)));
  CHECK(all.pending() == 1);
  CHECK(all.took(first, number(3)));
  CHECK(all.empty());
  CHECK(all.offered() == 0);
}

TEST_CASE_METHOD(fixture, "who leaves is offered nothing, whatever credit it had", "[unit][I6]") {
  join_with_credit(first, 5);
  all.leave(first);
  arrive(1, 1);
  CHECK_FALSE(all.next());
  CHECK(all.empty());
}

TEST_CASE_METHOD(fixture, "a credit that crosses the end of its acceptor is worth nothing",
                 "[unit]") {
  arrive(1, 2);
  join_with_credit(first, 1);
  CHECK(offers_to(first) == connections{number(1)});
  all.leave(first);
  CHECK(all.grant(first, door, 1));
  CHECK_FALSE(all.next());
  CHECK(all.grant(second, door, 1));  // was never here
  CHECK_FALSE(all.next());
}

TEST_CASE_METHOD(fixture, "who joins again starts without credit, with its old offers open",
                 "[unit][I1]") {
  arrive(1, 2);
  join_with_credit(first, 1);
  CHECK(offers_to(first) == connections{number(1)});
  all.leave(first);
  acceptor_id const reopened{8};
  all.join(first, 0, reopened);
  CHECK_FALSE(all.next());
  CHECK(all.grant(first, door, 1));  // the old acceptor's
  CHECK_FALSE(all.next());
  CHECK(all.took(first, number(1)));
  CHECK(all.grant(first, reopened, 1));
  auto const next = all.next();
  REQUIRE(next);
  CHECK(next->acceptor == reopened);
  CHECK(next->connection == number(2));
}

TEST_CASE_METHOD(fixture, "credit that was not used is lost with its acceptor", "[unit]") {
  arrive(1, 1);
  join_with_credit(first, 3);
  CHECK(offers_to(first) == connections{number(1)});  // keeps the worker known
  all.leave(first);
  all.join(first, 0, door);
  arrive(2, 4);
  CHECK(all.grant(first, door, 1));
  CHECK(offers_to(first) == connections{number(2)});
}

TEST_CASE_METHOD(fixture, "more credits than any window has are refused", "[unit][I7]") {
  all.join(first, 0, door);
  CHECK(all.grant(first, door, 1'024));
  CHECK_FALSE(all.grant(first, door, 1));
  all.join(second, 0, door);
  CHECK_FALSE(all.grant(second, door, 1'025));
  CHECK_FALSE(all.grant(second, door, 0xffff'ffff));
}

TEST_CASE_METHOD(fixture, "who has an offer to answer gets another only when nobody else has room",
                 "[unit]") {
  all.join(first, 0, door);
  all.join(second, 1, door);
  CHECK(all.grant(first, door, 2));
  CHECK(all.grant(second, door, 2));
  arrive(1, 2);
  auto const goes_to = [this](worker_id id, bool more_wait) {
    auto const next = all.next();
    return next && next->to == id && next->more_wait == more_wait;
  };
  CHECK(goes_to(first, true));
  CHECK(goes_to(second, false));
  CHECK(all.took(second, number(2)));
  arrive(3, 4);
  CHECK(goes_to(second, true));
  CHECK(goes_to(first, false));
}

TEST_CASE_METHOD(fixture, "a grant of no credit gives none", "[unit]") {
  arrive(1, 1);
  join_with_credit(first, 0);
  CHECK_FALSE(all.next());
}

TEST_CASE_METHOD(fixture, "an answer to what was not offered is refused", "[unit][I1]") {
  arrive(1, 2);
  CHECK_FALSE(all.took(first, number(1)));
  join_with_credit(first, 1);
  CHECK(offers_to(first) == connections{number(1)});
  CHECK_FALSE(all.took(first, number(2)));   // pending
  CHECK_FALSE(all.took(first, number(99)));  // unknown
  CHECK_FALSE(all.refused(first, number(99)));
  all.join(second, 0, door);
  CHECK_FALSE(all.took(second, number(1)));  // somebody else's
  CHECK_FALSE(all.refused(second, number(1)));
  CHECK(all.took(first, number(1)));
  CHECK_FALSE(all.took(first, number(1)));  // twice
  CHECK_FALSE(all.refused(first, number(1)));
}

TEST_CASE_METHOD(fixture, "losing or leaving somebody unknown changes nothing", "[unit]") {
  arrive(1, 1);
  all.leave(first);
  all.lost(first);
  CHECK(all.abandoned(first).empty());
  CHECK(all.pending() == 1);
}

TEST_CASE_METHOD(fixture, "connections go round among the workers that have credit", "[unit]") {
  join_with_credit(first, 2);
  join_with_credit(second, 2);
  arrive(1, 5);
  std::vector<worker_id> order;
  while (auto const next = all.next()) order.push_back(next->to);
  CHECK(order == std::vector{first, second, first, second});
  CHECK(all.pending() == 1);
}

TEST_CASE("a worker has what it reports, and what it has been offered since",
          "[unit][least_connections]") {
  dispatcher all{make_policy(scheduling::least_connections, {})};
  for (auto const id : {first, second}) {
    all.join(id, 0, door);
    REQUIRE(all.grant(id, door, 8));
  }
  auto const takes = [&](std::uint64_t connection) {
    all.arrived({number(connection)});
    auto const next = all.next();
    REQUIRE(next);
    REQUIRE(all.took(next->to, number(connection)));
    return next->to;
  };
  REQUIRE(all.grant(first, door, 0, 2));
  CHECK(takes(1) == second);
  CHECK(takes(2) == second);
  CHECK(takes(3) == first);  // two and two: in turn
  CHECK(takes(4) == second);
  REQUIRE(all.grant(second, door, 0, 1));
  CHECK(takes(5) == second);
  all.arrived({number(6)});
  CHECK(all.next().value().to == second);
  REQUIRE(all.grant(second, door, 0, 2));  // and one is on its way
  CHECK(takes(7) == first);                // three and three
  CHECK(all.refused(second, number(6)));
  REQUIRE(all.grant(second, door, 0, 2));
  CHECK(all.next().value().to == second);
}

}  // namespace
}  // namespace prong::core
