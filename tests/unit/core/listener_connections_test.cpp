// The listening sockets: when they accept, and where connections go.
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

struct sharing : fixture {
  sharing() : fixture({scheduling::shared, false, 4}) {}
};

TEST_CASE_METHOD(fixture, "accepting pauses while as many connections wait as may",
                 "[unit][listeners][I7]") {
  one_listens();
  arrive(1, 3);
  CHECK(done().empty());
  arrive(4, 4);
  CHECK(only<action::stop_accepting>(done()).size() == 1);
  CHECK(credit(first));
  auto const then = done();
  CHECK(only<action::offer>(then).size() == 1);
  CHECK(only<action::start_accepting>(then).size() == 1);
}

TEST_CASE_METHOD(fixture, "a lost worker's connections may exceed the bound, and stop accepting",
                 "[unit][listeners][I7]") {
  two_listen();
  CHECK(credit(first, 3));
  arrive(1, 6);
  done();
  ports.link_closed(first, true);
  CHECK(ports.pending() == 6);
  CHECK(only<action::stop_accepting>(done()).size() == 1);
}

TEST_CASE_METHOD(fixture, "accepting that fails pauses for 100 ms", "[unit][listeners]") {
  one_listens();
  time_point const now{5s};
  CHECK(ports.next_deadline() == never);
  ports.on_accept_failed(opened, now);
  CHECK(only<action::stop_accepting>(done()).size() == 1);
  CHECK(ports.next_deadline() == now + 100ms);
  pass(now + 99ms);
  CHECK(done().empty());
  pass(now + 100ms);
  CHECK(only<action::start_accepting>(done()).size() == 1);
  CHECK(ports.next_deadline() == never);
}

TEST_CASE_METHOD(fixture, "what waits is handed out while accepting pauses", "[unit][listeners]") {
  one_listens();
  arrive(1, 1);
  ports.on_accept_failed(opened, time_point{5s});
  done();
  CHECK(credit(first));
  auto const then = done();
  CHECK(only<action::offer>(then).size() == 1);
  CHECK(only<action::start_accepting>(then).empty());
}

TEST_CASE_METHOD(sharing, "shared workers get the socket, and the primary never accepts",
                 "[unit][listeners]") {
  CHECK(asks(first, port(80)));
  ports.on_opened(opened, {}, port(80));
  CHECK(asks(second, port(80)));
  auto const then = done();
  auto const shares = only<action::share>(then);
  REQUIRE(shares.size() == 2);
  CHECK(shares[0].to == first);
  CHECK(shares[1].to == second);
  CHECK(shares[1].listener == opened);
  CHECK(shares[1].what.shared);
  CHECK(shares[0].what.queue == static_cast<std::uint32_t>(opened));
  CHECK(shares[1].what.queue == shares[0].what.queue);
  CHECK(frames<wire::listening>(then).empty());
  CHECK(only<action::start_accepting>(then).empty());
  CHECK(events<worker_listening>(then).size() == 2);
  pass(time_point{1h});
  CHECK(credit(first));  // means nothing here
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "a connection is handed over once", "[unit][listeners][I1][I4]") {
  two_listen();
  arrive(1, 1);
  CHECK(credit(first));
  done();
  CHECK_FALSE(ports.took(second, connection_id{1}));
  CHECK_FALSE(ports.took(first, connection_id{2}));
  CHECK(ports.took(first, connection_id{1}));
  CHECK(forgotten() == std::vector{connection_id{1}});
  CHECK_FALSE(ports.took(first, connection_id{1}));
  CHECK_FALSE(ports.refused(first, connection_id{1}));
  CHECK(ports.counted().handed_over == 1);
  check_conservation();
}

TEST_CASE_METHOD(fixture, "a link that ends unread takes its open offers with it",
                 "[unit][listeners][I2][I4]") {
  two_listen();
  arrive(1, 2);
  CHECK(credit(first, 2));
  CHECK(credit(second, 2));
  done();
  ports.link_closed(first, false);
  auto const then = done();
  CHECK(only<action::forget>(then).size() == 2);
  CHECK(only<action::offer>(then).empty());
  CHECK(ports.counted().abandoned == 2);
  check_conservation();
}

TEST_CASE_METHOD(fixture, "a link that ends read has its open offers go to others",
                 "[unit][listeners][I3][I4]") {
  two_listen();
  arrive(1, 2);
  CHECK(credit(first, 2));
  CHECK(credit(second, 2));
  done();
  ports.link_closed(first, true);
  auto const offers = only<action::offer>(done());
  REQUIRE(offers.size() == 2);
  CHECK(offers[0].to == second);
  CHECK(offers[0].connection == connection_id{1});
  check_conservation();
}

TEST_CASE_METHOD(fixture, "more credits than can be meant break the protocol",
                 "[unit][listeners][I7]") {
  one_listens();
  CHECK_FALSE(credit(first, 5'000));
}

TEST_CASE_METHOD(keeping, "closing all closes for good", "[unit][listeners][I4]") {
  two_listen();
  arrive(1, 3);
  CHECK(credit(first));
  done();
  ports.close_all();
  auto const then = done();
  CHECK(only<action::close_listener>(then).size() == 1);
  CHECK(only<action::forget>(then).size() == 2);
  CHECK(ports.listening(first) == 0);
  ports.link_closed(first, true);
  CHECK(forgotten().size() == 1);
  check_conservation();
}

}  // namespace
}  // namespace prong::core
