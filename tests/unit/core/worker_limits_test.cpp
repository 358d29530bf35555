// What a worker does at the limit of an acceptor's connections, and with acceptors of its own.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/convert.hpp"
#include "common/core/worker_core.hpp"
#include "support/actions.hpp"
#include "support/catch.hpp"
#include "support/request.hpp"

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

namespace act = worker_action;
using test::frames;
using test::only;

endpoint const where(asio::ip::address_v4::loopback(), 80);

struct limited {
  worker_core core{worker_id{3}, 4'711};
  acceptor_id const id = core.add_acceptor();

  limited() {
    core.listen(id, test::request(where));
    core.on_control(wire::listening{1, to_wire(where), false}, false);
    core.on_control(wire::welcome{1, 4}, false);
    done();
  }
  std::vector<any_worker_action> done() { return test::drain(core); }
  std::uint32_t credits() {
    core.on_turn({});
    std::uint32_t sum = 0;
    for (auto const& each : frames<wire::credit>(done())) sum += each.count;
    return sum;
  }
  void offer(std::uint64_t connection) {
    core.on_control(wire::offer{connection, 1, 0, false}, true);
  }
};

}  // namespace

TEST_CASE_METHOD(limited, "a worker asks for no more connections than it has room for",
                 "[unit][worker]") {
  core.count(id, 0, 2, false);
  core.accept_waits(id);
  CHECK(credits() == 2);
  core.count(id, 0, 0, false);
  offer(7);
  auto const then = done();
  CHECK(only<act::refuse>(then).size() == 1);
  CHECK(only<act::deliver>(then).empty());
  CHECK(credits() == 0);
}

TEST_CASE_METHOD(limited, "when there is room again, a worker asks again", "[unit][worker]") {
  core.count(id, 0, 0, false);
  core.accept_waits(id);
  CHECK(credits() == 0);
  core.count(id, 0, 1, false);
  CHECK(only<act::request_turn>(done()).size() == 1);
  CHECK(credits() == 1);
}

TEST_CASE_METHOD(limited, "a worker that turns away takes what it has no room for, and closes it",
                 "[unit][worker]") {
  core.count(id, 0, 0, true);
  core.accept_waits(id);
  CHECK(credits() == 4);
  offer(7);
  auto const then = done();
  CHECK(only<act::deliver>(then).empty());
  auto const closed = only<act::turn_away>(then);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].connection == connection_id{7});
  CHECK(credits() == 1);
}

TEST_CASE("how many connections are open is said once in a turn, where the primary asked",
          "[unit][worker][least_connections]") {
  bool const asked = GENERATE(false, true);
  worker_core core{worker_id{3}, 4'711};
  auto const id = core.add_acceptor();
  core.listen(id, test::request(where));
  core.on_control(wire::listening{1, to_wire(where), false, asked}, false);
  core.on_turn({});
  test::drain(core);
  for (auto const open : {1u, 2u, 3u}) core.count(id, open, SIZE_MAX, false);
  CHECK(only<act::request_turn>(test::drain(core)).size() == (asked ? 1 : 0));
  core.on_turn({});
  auto const said = frames<wire::credit>(test::drain(core));
  CHECK(said == (asked ? std::vector{wire::credit{1, 0, 3}} : std::vector<wire::credit>{}));
  core.on_turn({});
  CHECK(frames<wire::credit>(test::drain(core)).empty());
  core.accept_waits(id);  // what it asks for comes with the number
  core.on_turn({});
  CHECK(frames<wire::credit>(test::drain(core)).at(0).open == 3);
}

TEST_CASE("an acceptor of the worker's own is told to the primary, and asks for nothing",
          "[unit][worker]") {
  worker_core core{worker_id{3}, 4'711};
  auto const id = core.add_acceptor();
  test::drain(core);
  core.listens_alone(id, where, {});
  CHECK(frames<wire::listens_alone>(test::drain(core)) ==
        std::vector{wire::listens_alone{1, to_wire(where), {}}});
  core.accept_waits(id);
  core.on_turn({});
  CHECK(frames<wire::credit>(test::drain(core)).empty());
  core.close(id);
  CHECK(frames<wire::unlisten>(test::drain(core)).size() == 1);
}

TEST_CASE("an acceptor that could not listen alone may ask again", "[unit][worker]") {
  worker_core core{worker_id{3}, 4'711};
  auto const id = core.add_acceptor();
  core.listens_alone(id, where, asio::error::address_in_use);
  auto const said = frames<wire::listens_alone>(test::drain(core));
  REQUIRE(said.size() == 1);
  CHECK(from_wire(said[0].why) == asio::error::address_in_use);
  core.listen(id, test::request(where));
  CHECK(frames<wire::listen>(test::drain(core)).size() == 1);
}

}  // namespace prong::core
