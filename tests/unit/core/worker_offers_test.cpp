// The worker's decisions: what becomes of a connection that it is offered.
// SPDX-License-Identifier: BSL-1.0
#include "unit/core/scripted_worker.hpp"

namespace prong::core {
namespace {

namespace act = worker_action;
using test::frames;
using test::only;
using fixture = scripted_worker;

TEST_CASE_METHOD(fixture, "a connection goes to the operation that waits", "[unit][worker][I2]") {
  auto const id = listens();
  core.accept_waits(id);
  turn();
  CHECK(is_offered(id, 9));
  auto const delivered = only<act::deliver>(done());
  REQUIRE(delivered.size() == 1);
  CHECK(delivered[0].acceptor == id);
  CHECK(delivered[0].connection == connection_id{9});
}

TEST_CASE_METHOD(fixture, "the primary hears of a taken connection when the loop has turned",
                 "[unit][worker]") {
  auto const id = listens();
  core.accept_waits(id);
  turn();
  CHECK(is_offered(id, 9));
  CHECK(only<act::send>(done()).empty());
  CHECK(frames<wire::credit>(turn()) ==
        std::vector{wire::credit{static_cast<std::uint64_t>(id), 0}});
  CHECK(only<act::send>(turn()).empty());
}

TEST_CASE_METHOD(fixture, "a program that takes one after the other is told of all together",
                 "[unit][worker]") {
  CHECK(hears(wire::welcome{1, 3}));
  auto const id = listens();
  core.accept_waits(id);
  turn();
  for (std::uint64_t each = 1; each <= 3; ++each) CHECK(is_offered(id, each));
  CHECK(only<act::deliver>(done()).size() == 1);
  for (int i = 0; i < 2; ++i) {
    core.accept_waits(id);
    CHECK(only<act::deliver>(done()).size() == 1);
    auto const then = turn();
    CHECK(refusals(then).empty());
    CHECK(frames<wire::credit>(then).size() == (i == 0 ? 0 : 1));
  }
}

TEST_CASE_METHOD(fixture, "a connection that nobody waits for goes to the next accept",
                 "[unit][worker][I2]") {
  auto const id = listens();
  CHECK(is_offered(id, 1));
  CHECK(is_offered(id, 2));
  auto wanted = done();
  CHECK(only<act::deliver>(wanted).empty());
  core.accept_waits(id);
  wanted = done();
  REQUIRE(only<act::deliver>(wanted).size() == 1);
  CHECK(only<act::deliver>(wanted)[0].connection == connection_id{1});
}

TEST_CASE_METHOD(fixture, "a connection that nobody waits for goes back after a turn",
                 "[unit][worker]") {
  auto const id = listens();
  CHECK(is_offered(id, 1));
  CHECK(only<act::request_turn>(done()).size() == 1);
  auto const wanted = turn();
  CHECK(refusals(wanted) == connections{1});
  core.accept_waits(id);
  CHECK(only<act::deliver>(done()).empty());
}

TEST_CASE_METHOD(fixture, "closing an acceptor gives back what it holds", "[unit][worker]") {
  auto const id = listens();
  CHECK(is_offered(id, 1));
  CHECK(is_offered(id, 2));
  done();
  core.close(id);
  auto const wanted = done();
  CHECK(refusals(wanted) == connections{2, 1});
  CHECK(frames<wire::unlisten>(wanted).size() == 1);
}

TEST_CASE_METHOD(fixture, "an offer for an acceptor that is closed is refused", "[unit][worker]") {
  auto const id = listens();
  core.close(id);
  done();
  CHECK(is_offered(id, 1));
  auto const wanted = done();
  CHECK(refusals(wanted) == connections{1});
}

TEST_CASE_METHOD(fixture, "a worker without descriptors refuses, and asks again after a pause",
                 "[unit][worker][I7]") {
  auto const id = listens();
  core.accept_waits(id);
  core.accept_waits(id);
  turn();
  CHECK(is_offered(id, 1, false));
  auto const wanted = done();
  CHECK(refusals(wanted) == connections{1});
  CHECK(only<act::request_pause>(wanted).size() == 1);
  CHECK(is_offered(id, 2, false));
  CHECK(only<act::request_pause>(done()).empty());  // one pause at a time
  CHECK(credits_after_turn() == 0);
  core.on_recovered();
  CHECK(only<act::request_turn>(done()).size() == 1);
  CHECK(credits_after_turn() == 2);
}

TEST_CASE_METHOD(fixture, "what arrives whole during the pause is taken", "[unit][worker]") {
  auto const id = listens();
  core.accept_waits(id);
  CHECK(is_offered(id, 1, false));
  done();
  CHECK(is_offered(id, 2, true));
  auto const delivered = only<act::deliver>(done());
  REQUIRE(delivered.size() == 1);
  CHECK(delivered[0].connection == connection_id{2});
}

TEST_CASE_METHOD(fixture, "an offer that was recalled on its way costs its credit only",
                 "[unit][worker][I6]") {
  auto const id = listens();
  core.accept_waits(id);
  CHECK(credits_after_turn() == 1);
  core.on_recalled(id);
  CHECK(only<act::request_turn>(done()).size() == 1);
  CHECK(credits_after_turn() == 1);
}

TEST_CASE_METHOD(fixture, "who has lost an offer says that it lives, also without a new credit",
                 "[unit][worker]") {
  auto const id = listens();
  SECTION("it came too late") {
    core.on_recalled(id);
  }
  SECTION("it is refused") {
    CHECK(is_offered(id, 1));
  }
  auto const said = frames<wire::credit>(turn());
  REQUIRE(said.size() == 1);
  CHECK(said[0].count == 0);
}

TEST_CASE_METHOD(fixture, "an operation whose connection was recalled gets the next one",
                 "[unit][worker]") {
  auto const id = listens();
  core.accept_waits(id);
  CHECK(is_offered(id, 1));
  CHECK(is_offered(id, 2));  // nobody waits for it yet
  CHECK(only<act::deliver>(done()).size() == 1);
  core.not_delivered(id);
  auto const next = only<act::deliver>(done());
  REQUIRE(next.size() == 1);
  CHECK(next[0].connection == connection_id{2});
  core.not_delivered(id);
  CHECK(only<act::deliver>(done()).empty());
  CHECK(is_offered(id, 3));
  CHECK(only<act::deliver>(done()).size() == 1);
}

}  // namespace
}  // namespace prong::core
