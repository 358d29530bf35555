// The worker's decisions: where it listens, what it asks for, and how it ends.
// SPDX-License-Identifier: BSL-1.0
#include "unit/core/scripted_worker.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

namespace act = worker_action;
using test::frames;
using test::only;
using test::position;
using fixture = scripted_worker;

TEST_CASE("a worker says hello before anything else", "[unit][worker]") {
  worker_core core{worker_id{3}, 4'711};
  core.listen(core.add_acceptor(), test::request(fixture::port(80)));
  auto const first = core.next_action();
  REQUIRE(first);
  auto const* const sent = std::get_if<act::send>(&*first);
  REQUIRE(sent);
  CHECK(std::get<wire::hello>(sent->what) ==
        wire::hello{wire::oldest_protocol, wire::newest_protocol, 3, 4'711});
}

// --- Listening ----------------------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "an acceptor asks once, and hears where it listens", "[unit][worker]") {
  auto const id = core.add_acceptor();
  core.listen(id, test::request(port(0), 7, true));
  core.listen(id, test::request(port(0), 7, true));
  CHECK(frames<wire::listen>(done()) ==
        std::vector{to_wire(id, test::request(port(0), 7, true), 0)});
  CHECK(hears(wire::listening{1, to_wire(port(5'000)), false}));
  auto const heard = only<act::listened>(done());
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].acceptor == id);
  CHECK_FALSE(heard[0].result);
  CHECK(heard[0].bound == port(5'000));
  core.listen(id, test::request(port(0), 7, true));
  CHECK(frames<wire::listen>(done()).empty());
}

TEST_CASE_METHOD(fixture, "the n-th acceptor on port 0 has index n", "[unit][worker]") {
  auto const index = [this](acceptor_id id, endpoint const& where) {
    core.listen(id, test::request(where));
    return frames<wire::listen>(done()).at(0).index;
  };
  auto const a = core.add_acceptor();
  auto const b = core.add_acceptor();
  CHECK(index(a, port(0)) == 0);
  CHECK(index(b, port(0)) == 1);
  CHECK(index(core.add_acceptor(), {asio::ip::address_v4::any(), 0}) == 0);
  CHECK(index(core.add_acceptor(), port(80)) == 0);
  core.close(a);
  done();
  CHECK(index(core.add_acceptor(), port(0)) == 0);  // its place is free again
  CHECK(index(core.add_acceptor(), port(0)) == 2);
}

TEST_CASE_METHOD(fixture, "a listen that fails ends all accepts, and can be tried again",
                 "[unit][worker]") {
  auto const id = asks();
  core.accept_waits(id);
  core.accept_waits(id);
  CHECK(hears(wire::listen_failed{1, to_wire(error_code(asio::error::address_in_use))}));
  auto const heard = only<act::listened>(done()).at(0);
  CHECK(heard.result == asio::error::address_in_use);
  CHECK(heard.bound == port(80));
  core.listen(id, test::request(port(80)));
  CHECK(frames<wire::listen>(done()).size() == 1);
  CHECK(hears(wire::listening{1, to_wire(port(80)), false}));
  CHECK(credits_after_turn() == 0);  // nobody waits any more
}

TEST_CASE_METHOD(fixture, "an acceptor that closes says so, if it had asked", "[unit][worker]") {
  core.close(core.add_acceptor());
  CHECK(done().empty());
  auto const id = listens();
  core.close(id);
  CHECK(frames<wire::unlisten>(done()).size() == 1);
  core.close(id);
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "an answer that comes after the close is passed over", "[unit][worker]") {
  auto const id = asks();
  core.close(id);
  done();
  CHECK(hears(wire::listening{1, to_wire(port(80)), false}));
  CHECK(hears(wire::listen_failed{1, {}}));
  CHECK(done().empty());
}

// --- Credits ------------------------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a credit goes out only after a turn of the loop", "[unit][worker]") {
  auto const id = listens();
  core.accept_waits(id);
  auto const wanted = done();
  CHECK(frames<wire::credit>(wanted).empty());
  CHECK(only<act::request_turn>(wanted).size() == 1);
  CHECK(frames<wire::credit>(turn()) == std::vector{wire::credit{1, 1}});
}

TEST_CASE_METHOD(fixture, "a credit goes out only while an accept waits", "[unit][worker]") {
  auto const id = listens();
  CHECK(credits_after_turn() == 0);
  core.accept_waits(id);
  core.accept_cancelled(id);
  CHECK(credits_after_turn() == 0);
}

TEST_CASE_METHOD(fixture, "a credit that no offer has used is not granted again",
                 "[unit][worker]") {
  auto const id = listens();
  core.accept_waits(id);
  CHECK(credits_after_turn() == 1);
  CHECK(credits_after_turn() == 0);
  core.accept_cancelled(id);
  core.accept_waits(id);
  CHECK(credits_after_turn() == 0);
}

TEST_CASE_METHOD(fixture, "the window is granted beforehand", "[unit][worker][I7]") {
  CHECK(hears(wire::welcome{1, 5}));
  auto const id = listens();
  core.accept_waits(id);
  CHECK(credits_after_turn() == 5);
  CHECK(is_offered(id, 1));
  core.accept_waits(id);
  CHECK(credits_after_turn() == 1);
}

TEST_CASE_METHOD(fixture, "several accepts that wait have a credit each", "[unit][worker]") {
  auto const id = listens();
  for (int i = 0; i < 3; ++i) core.accept_waits(id);
  CHECK(credits_after_turn() == 3);
  CHECK(is_offered(id, 1));
  CHECK(credits_after_turn() == 0);  // two wait, two are granted
}

TEST_CASE_METHOD(fixture, "one turn is requested at a time", "[unit][worker]") {
  auto const a = listens(80);
  auto const b = listens(81);
  core.accept_waits(a);
  core.accept_waits(b);
  CHECK(only<act::request_turn>(done()).size() == 1);
  CHECK(frames<wire::credit>(turn()).size() == 2);
  core.accept_waits(a);
  CHECK(only<act::request_turn>(done()).size() == 1);
}

TEST_CASE_METHOD(fixture, "a shared acceptor asks for no connection", "[unit][worker]") {
  auto const id = asks();
  CHECK(hears(wire::listening{1, to_wire(port(80)), true, false, 7}, true));
  auto const listened = only<act::listened>(done()).at(0);
  CHECK(listened.shared);
  CHECK(listened.queue == 7);
  core.accept_waits(id);
  CHECK(credits_after_turn() == 0);
}

// --- The end ------------------------------------------------------------------------------------

TEST_CASE_METHOD(fixture, "a stop gives back what is held, says so, and drains",
                 "[unit][worker][I2]") {
  auto const id = listens();
  CHECK(is_offered(id, 1));
  done();
  SECTION("asked by the primary") {
    CHECK(hears(wire::stop{}));
  }
  SECTION("asked by the program") {
    core.stop();
  }
  CHECK(core.stopping());
  auto const wanted = done();
  CHECK(refusals(wanted) == connections{1});
  CHECK(frames<wire::stopping>(wanted).size() == 1);
  CHECK(position<act::begin_drain>(wanted) == wanted.size() - 1);
  auto const& last_sent = std::get<act::send>(wanted[wanted.size() - 2]);
  CHECK(std::holds_alternative<wire::stopping>(last_sent.what));
}

TEST_CASE_METHOD(fixture, "a worker that stops says nothing any more", "[unit][worker]") {
  auto const id = listens();
  core.accept_waits(id);
  core.stop();
  done();
  core.stop();
  CHECK(hears(wire::stop{}));
  core.listen(core.add_acceptor(), test::request(port(81)));
  core.accept_waits(id);
  core.on_turn({});
  core.on_recovered();
  CHECK(hears(wire::listening{1, to_wire(port(80)), false}));
  CHECK(hears(wire::listen_failed{1, {}}));
  core.close(id);
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "an offer that crosses the end is dropped without an answer",
                 "[unit][worker][I3]") {
  auto const id = listens();
  core.accept_waits(id);
  core.stop();
  done();
  CHECK(is_offered(id, 1));
  auto const wanted = done();
  REQUIRE(wanted.size() == 1);
  CHECK(std::get<act::drop>(wanted[0]).connection == connection_id{1});
}

TEST_CASE_METHOD(fixture, "what only a worker sends breaks the protocol", "[unit][worker]") {
  CHECK_FALSE(hears(wire::hello{}));
  CHECK_FALSE(hears(wire::took{1}));
  CHECK_FALSE(hears(wire::credit{1, 1}));
  CHECK_FALSE(hears(wire::stopping{}));
  CHECK_FALSE(hears(wire::listen{}));
}

}  // namespace
}  // namespace prong::core
