// The listening sockets: who shares which, when they open and close.
// SPDX-License-Identifier: BSL-1.0
#include "unit/core/scripted_listeners.hpp"

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using test::events;
using test::frames;
using test::only;
using fixture = scripted_listeners;
using keeping = keeping_listeners;

TEST_CASE_METHOD(fixture, "the first who asks opens the port", "[unit][listeners]") {
  CHECK(asks(first, port(80)));
  auto const asked = done();
  REQUIRE(asked.size() == 1);
  auto const open = only<action::open_listener>(asked).at(0);
  CHECK(open.id == opened);
  CHECK(open.what.where == port(80));
  CHECK(open.what.how.backlog == 100);
  CHECK(ports.listening(first) == 0);

  ports.on_opened(opened, {}, port(80));
  auto const done_then = done();
  auto const told = frames<wire::listening>(done_then, first);
  REQUIRE(told.size() == 1);
  CHECK(from_wire(told[0].endpoint) == port(80));
  CHECK_FALSE(told[0].shared);
  CHECK(events<worker_listening>(done_then).at(0).id == first);
  CHECK(only<action::start_accepting>(done_then).size() == 1);
  CHECK(ports.endpoints(first) == std::vector{port(80)});
}

TEST_CASE_METHOD(fixture, "the second who asks shares it", "[unit][listeners]") {
  one_listens();
  CHECK(asks(second, port(80)));
  auto const then = done();
  CHECK(only<action::open_listener>(then).empty());
  CHECK(only<action::start_accepting>(then).empty());  // it does already
  CHECK(frames<wire::listening>(then, second).size() == 1);
  CHECK(events<worker_listening>(then).at(0).id == second);
}

TEST_CASE_METHOD(fixture, "acceptors on port 0 with the same index share one port",
                 "[unit][listeners]") {
  CHECK(asks(first, port(0), door, 0));
  ports.on_opened(listener_id{1}, {}, port(5'000));
  CHECK(asks(first, port(0), acceptor_id{2}, 1));
  ports.on_opened(listener_id{2}, {}, port(5'001));
  done();
  CHECK(asks(second, port(0), door, 0));
  CHECK(asks(second, port(0), acceptor_id{2}, 1));
  auto const told = frames<wire::listening>(done(), second);
  REQUIRE(told.size() == 2);
  CHECK(from_wire(told[0].endpoint) == port(5'000));
  CHECK(from_wire(told[1].endpoint) == port(5'001));
  CHECK(ports.endpoints(first) == std::vector{port(5'000), port(5'001)});
}

TEST_CASE_METHOD(fixture, "a port that was got as port 0 is found by its number",
                 "[unit][listeners]") {
  CHECK(asks(first, port(0)));
  ports.on_opened(opened, {}, port(5'000));
  done();
  CHECK(asks(second, port(5'000)));
  auto const then = done();
  CHECK(only<action::open_listener>(then).empty());
  CHECK(frames<wire::listening>(then, second).size() == 1);
}

TEST_CASE_METHOD(fixture, "other addresses and ports are other listeners", "[unit][listeners]") {
  one_listens();
  CHECK(asks(second, port(81)));
  CHECK(asks(second, {asio::ip::address_v4::any(), 80}, acceptor_id{2}));
  CHECK(asks(second, {asio::ip::address_v6::loopback(), 80}, acceptor_id{3}));
  CHECK(only<action::open_listener>(done()).size() == 3);
}

TEST_CASE_METHOD(fixture, "a worker's second acceptor on one port has an address in use",
                 "[unit][listeners]") {
  one_listens();
  CHECK(asks(first, port(80), acceptor_id{2}));
  auto const then = done();
  auto const told = frames<wire::listen_failed>(then, first);
  REQUIRE(told.size() == 1);
  CHECK(told[0].acceptor == 2);
  CHECK(from_wire(told[0].why) == asio::error::address_in_use);
  auto const reported = events<worker_listen_failed>(then);
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].endpoint == port(80));
  CHECK(reported[0].error == asio::error::address_in_use);
  CHECK(ports.listening(first) == 1);
}

TEST_CASE_METHOD(fixture, "one acceptor that asks twice breaks the protocol", "[unit][listeners]") {
  one_listens();
  CHECK_FALSE(asks(first, port(81)));
  CHECK(asks(second, port(81)));  // acceptors of different workers have nothing in common
}

TEST_CASE_METHOD(fixture, "a port that cannot be opened is tried again by the next",
                 "[unit][listeners]") {
  CHECK(asks(first, port(80)));
  done();
  ports.on_opened(opened, asio::error::access_denied, {});
  auto const then = done();
  CHECK(from_wire(frames<wire::listen_failed>(then, first).at(0).why) ==
        asio::error::access_denied);
  CHECK(events<worker_listen_failed>(then).at(0).endpoint == port(80));
  CHECK(ports.listening(first) == 0);

  CHECK(asks(first, port(80)));  // the same acceptor, too
  auto const again = only<action::open_listener>(done());
  REQUIRE(again.size() == 1);
  CHECK(again[0].id != opened);
}

TEST_CASE_METHOD(fixture, "the last close of an acceptor closes the port and what waits there",
                 "[unit][listeners][I4]") {
  two_listen();
  arrive(1, 3);
  CHECK(credit(first));
  done();
  CHECK(ports.unlisten(second, door));
  CHECK(done().empty());
  CHECK(ports.unlisten(first, door));
  auto const then = done();
  CHECK(only<action::close_listener>(then).size() == 1);
  CHECK(only<action::forget>(then).size() == 2);
  CHECK(ports.counted().closed == 2);
  CHECK(ports.offered() == 1);
  check_conservation();

  CHECK(ports.took(first, connection_id{1}));  // answers what it still had
  CHECK(forgotten() == std::vector{connection_id{1}});
  check_conservation();
}

TEST_CASE_METHOD(keeping, "a deliberate close closes a port that is kept open, too",
                 "[unit][listeners]") {
  one_listens();
  CHECK(ports.unlisten(first, door));
  CHECK(only<action::close_listener>(done()).size() == 1);
}

TEST_CASE_METHOD(fixture, "a connection that comes back to a closed port is closed",
                 "[unit][listeners][I4]") {
  one_listens();
  arrive(1, 1);
  CHECK(credit(first));
  CHECK(ports.unlisten(first, door));
  done();
  CHECK(ports.refused(first, connection_id{1}));
  CHECK(forgotten() == std::vector{connection_id{1}});
  check_conservation();
}

TEST_CASE_METHOD(fixture, "a port that was closed can be opened again", "[unit][listeners]") {
  one_listens();
  arrive(1, 1);
  CHECK(credit(first));
  CHECK(ports.unlisten(first, door));
  done();
  CHECK(asks(first, port(80), acceptor_id{2}));  // while an offer of the old one is open
  CHECK(only<action::open_listener>(done()).size() == 1);
  ports.on_opened(listener_id{2}, {}, port(80));
  CHECK(ports.took(first, connection_id{1}));
  CHECK(ports.listening(first) == 1);
}

TEST_CASE_METHOD(fixture, "closing what is closed already is allowed", "[unit][listeners]") {
  one_listens();
  CHECK(ports.unlisten(first, acceptor_id{9}));
  CHECK(ports.unlisten(second, door));
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "without keep_open the last worker's death closes the port",
                 "[unit][listeners][I4]") {
  two_listen();
  arrive(1, 2);
  CHECK(credit(first));
  ports.link_closed(second, true);
  CHECK(only<action::close_listener>(done()).empty());
  ports.link_closed(first, true);
  auto const then = done();
  CHECK(only<action::close_listener>(then).size() == 1);
  CHECK(only<action::forget>(then).size() == 2);
  CHECK(ports.counted().closed == 2);
  check_conservation();
}

TEST_CASE_METHOD(keeping, "with keep_open connections wait for the next worker",
                 "[unit][listeners][I3]") {
  one_listens();
  arrive(1, 2);
  CHECK(credit(first));
  done();
  ports.link_closed(first, true);
  CHECK(done().empty());  // still open, still accepting
  CHECK(ports.pending() == 2);
  CHECK(asks(second, port(80)));
  CHECK(credit(second, 2));
  auto const offers = only<action::offer>(done());
  REQUIRE(offers.size() == 2);
  CHECK(offers[0].connection == connection_id{1});
  CHECK(offers[0].to == second);
  CHECK(offers[1].connection == connection_id{2});
}

TEST_CASE_METHOD(fixture, "a worker that drains gets nothing new, and answers what it has",
                 "[unit][listeners][I1]") {
  two_listen();
  CHECK(credit(first, 2));
  arrive(1, 1);
  done();
  ports.drain(first, false);
  arrive(2, 2);
  CHECK(only<action::offer>(done()).empty());
  CHECK(ports.took(first, connection_id{1}));
  CHECK(ports.listening(first) == 0);
  CHECK(credit(first));  // a credit that crossed the stop
  CHECK(only<action::offer>(done()).empty());
}

TEST_CASE_METHOD(keeping, "draining the last worker keeps the port by the same policy",
                 "[unit][listeners]") {
  one_listens();
  ports.drain(first, false);
  CHECK(only<action::close_listener>(done()).empty());
}

}  // namespace
}  // namespace prong::core
