// The primary's decisions: what a worker may say, and what becomes of its connections.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/primary_core.hpp"

#include "support/catch.hpp"
#include "unit/core/scripted_primary.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using workers = std::vector<worker_id>;
using pairs = std::vector<std::pair<worker_id, connection_id>>;

constexpr worker_id first{1};
constexpr worker_id second{2};
constexpr worker_id third{3};

// --- The protocol -------------------------------------------------------------------------------

TEST_CASE_METHOD(by_hand, "who speaks no common version is ended for that", "[unit][primary]") {
  forks();
  says(first, wire::hello{2, 7, 1, process_of(first)});
  CHECK(wanted<action::cut_link>().size() == 1);
  CHECK(killed() == workers{first});
  CHECK(told<wire::welcome>(first).empty());
  exits(first, 137, 9);
  CHECK(reported<worker_exited>().at(0).error == make_error_code(errc::protocol_mismatch));
  CHECK(reported<worker_online>().empty());
}

TEST_CASE_METHOD(by_hand, "a newer program that still speaks our version is welcome in it",
                 "[unit][primary]") {
  forks();
  says(first, wire::hello{1, 7, 1, process_of(first)});
  CHECK(told<wire::welcome>(first).at(0).version == wire::newest_protocol);
  CHECK(reported<worker_online>().size() == 1);
}

TEST_CASE_METHOD(by_hand, "a broken protocol ends that worker alone", "[unit][primary]") {
  comes_up(forks());
  comes_up(forks());
  SECTION("a hello with another's number") {
    forks();
    says(third, wire::hello{1, 1, 1, 1});
    CHECK(killed() == workers{third});
    return;
  }
  SECTION("a stopping before the hello") {
    forks();
    says(third, wire::stopping{});
    CHECK(killed() == workers{third});
    return;
  }
  SECTION("a second hello") {
    says_hello(first);
  }
  SECTION("a took of what was never offered") {
    takes(first, 4);
  }
  SECTION("a refusal of what was never offered") {
    refuses(first, 4);
  }
  SECTION("too many credits") {
    grants(first, 5'000);
  }
  SECTION("a second listen of one acceptor") {
    listens(first);
  }
  SECTION("a frame that only a primary sends") {
    says(first, wire::stop{});
  }
  SECTION("bytes that are no frame") {
    call([](primary_core& each) { each.on_link_failed(first, errc::protocol_error); });
  }
  CHECK(killed() == workers{first});
  exits(first, 137, 9);
  auto const exited = reported<worker_exited>();
  REQUIRE(exited.size() == 1);
  CHECK(exited[0].error == make_error_code(errc::protocol_error));
  CHECK(core.serves(second));
}

TEST_CASE_METHOD(by_hand, "a listen of a worker that drains is passed over", "[unit][primary]") {
  forks();
  says_hello(first);
  call([](primary_core& each) { each.stop(first); });
  forget();
  listens(first);
  CHECK(seen.empty());
  CHECK(core.knows(first));
}

// --- Connections --------------------------------------------------------------------------------

TEST_CASE_METHOD(by_hand, "what a dead worker had not taken goes to the others",
                 "[unit][primary][I3]") {
  two_listen();
  grants(first, 2);
  arrive(1, 2);
  takes(first, 1);
  CHECK(wanted<action::forget>().size() == 1);
  forget();
  grants(second, 2);
  exits(first, 137, 9);
  CHECK(offers().empty());  // an answer may still be on its way
  closes_link(first);
  CHECK(offers() == pairs{{second, connection_id{2}}});
}

TEST_CASE_METHOD(by_hand, "a took that is read after the exit counts", "[unit][primary][I2][I3]") {
  two_listen();
  grants(first);
  grants(second);
  arrive(1, 1);
  forget();
  exits(first, 137, 9);
  takes(first, 1);
  closes_link(first);
  CHECK(offers().empty());
  CHECK(core.ports().counted().handed_over == 1);
}

TEST_CASE_METHOD(by_hand, "whose link was cut unread may have taken what it was offered",
                 "[unit][primary][I2]") {
  two_listen();
  grants(first);
  grants(second);
  arrive(1, 1);
  forget();
  call([](primary_core& each) { each.on_link_failed(first, errc::protocol_error); });
  CHECK(offers().empty());
  CHECK(wanted<action::forget>().at(0).connection == connection_id{1});
  CHECK(core.ports().counted().abandoned == 1);
}

TEST_CASE_METHOD(by_hand, "by hand the port closes with the last worker", "[unit][primary]") {
  two_listen();
  dies(first);
  CHECK(wanted<action::close_listener>().empty());
  dies(second);
  CHECK(wanted<action::close_listener>().size() == 1);
}

TEST_CASE_METHOD(by_hand, "accepting goes on by itself after a failure", "[unit][primary]") {
  two_listen();
  call([](primary_core& each) { each.on_accept_failed(listener_id{1}); });
  CHECK(wanted<action::stop_accepting>().size() == 1);
  CHECK(core.next_deadline() == now + 100ms);
  passes(100ms);
  CHECK(wanted<action::start_accepting>().size() == 1);
}

}  // namespace
}  // namespace prong::core
