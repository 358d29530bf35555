// Which requests share a listener: any address, the primary's own sockets, UDP, paths; and
// acceptors that listen without the primary.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/convert.hpp"
#include "common/core/listeners.hpp"
#include "support/actions.hpp"
#include "support/catch.hpp"
#include "support/request.hpp"

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

using test::events;
using test::frames;
using test::only;

constexpr worker_id first{1};
constexpr worker_id second{2};

endpoint port(unsigned short number, transport kind = transport::tcp) {
  endpoint where(asio::ip::address_v4::loopback(), number);
  where.transport = kind;
  return where;
}

listen_request any_address(unsigned short number) {
  auto what = test::request({asio::ip::address_v6::any(), number});
  what.any_address = true;
  return what;
}

listen_request of_primary(primary_socket from, transport kind = transport::tcp) {
  auto what = test::request(port(0, kind));
  what.from = std::move(from);
  return what;
}

listen_request reused(unsigned short number) {
  auto what = test::request(port(number, transport::udp));
  what.how.reuse_address = true;
  return what;
}

struct fixture {
  action_queue actions;
  listeners ports{{scheduling::round_robin, false, 4}, actions};
  std::uint64_t last = 0;

  std::vector<any_action> done() { return test::drain(actions); }
  // Whether the request opened a listener; it is bound to `bound` then.
  bool opens(worker_id id, listen_request const& what, endpoint const& bound,
             std::uint32_t index = 0) {
    REQUIRE(ports.listen(id, 0, to_wire(acceptor_id{++last}, what, index)));
    auto const asked = only<action::open_listener>(done());
    for (auto const& each : asked) ports.on_opened(each.id, {}, bound);
    return !asked.empty();
  }
  bool alone(worker_id id, std::uint64_t acceptor, error_code ec = {}) {
    return ports.listens_alone(id, {acceptor, to_wire(port(90)), to_wire(ec)});
  }
};

}  // namespace

TEST_CASE_METHOD(fixture, "who asks for any address shares it, by port 0 or by the number",
                 "[unit][listeners]") {
  endpoint const bound(asio::ip::address_v6::any(), 5'000);
  CHECK(opens(first, any_address(0), bound));
  CHECK_FALSE(opens(second, any_address(0), bound));
  CHECK_FALSE(opens(worker_id{3}, any_address(5'000), bound));
  CHECK(ports.listening(worker_id{3}) == 1);
  CHECK(opens(worker_id{4}, test::request(port(5'000)), port(5'000)));
}

TEST_CASE_METHOD(fixture, "any address is shared where only IPv4 could be had",
                 "[unit][listeners]") {
  endpoint const bound(asio::ip::address_v4::any(), 5'000);
  CHECK(opens(first, any_address(0), bound));
  CHECK_FALSE(opens(second, any_address(5'000), bound));
}

TEST_CASE_METHOD(fixture, "a socket of the primary is shared by its number or its name",
                 "[unit][listeners]") {
  CHECK(opens(first, of_primary(primary_socket(7)), port(80)));
  CHECK_FALSE(opens(second, of_primary(primary_socket(7)), port(80)));
  CHECK(opens(second, of_primary(primary_socket(8)), port(81)));
  CHECK(opens(first, of_primary(primary_socket("web")), port(82)));
  CHECK(opens(first, of_primary(primary_socket(7), transport::udp), port(80, transport::udp)));
  CHECK_FALSE(opens(first, of_primary(primary_socket(7)), port(80)));  // it has it already
  CHECK(frames<wire::listen_failed>(done()).size() <= 1);
}

TEST_CASE_METHOD(fixture, "a request travels whole", "[unit][listeners]") {
  auto what = of_primary(primary_socket("web"));
  what.how.backlog = 9;
  what.how.v6_only = true;
  what.how.mode = 0640;
  what.any_address = true;
  auto const back = from_wire(to_wire(acceptor_id{1}, what, 0));
  CHECK(back.from == what.from);
  CHECK(back.any_address);
  CHECK(back.how.backlog == 9);
  CHECK(back.how.v6_only);
  CHECK(back.how.mode == 0640u);
  CHECK_FALSE(from_wire(to_wire(acceptor_id{1}, test::request(port(1)), 0)).how.mode);
}

TEST_CASE_METHOD(fixture, "UDP is given to the workers, whatever the scheduling",
                 "[unit][listeners]") {
  REQUIRE(ports.listen(first, 0,
                       to_wire(acceptor_id{++last}, test::request(port(53, transport::udp)), 0)));
  done();
  ports.on_opened(listener_id{1}, {}, port(53, transport::udp));
  auto const then = done();
  CHECK(only<action::share>(then).size() == 1);
  CHECK(only<action::start_accepting>(then).empty());
  CHECK(opens(first, test::request(port(53)), port(53)));  // TCP is another listener
}

TEST_CASE_METHOD(fixture, "with reuse_address a worker has one address several times",
                 "[unit][listeners]") {
  auto const bound = port(5'000, transport::udp);
  CHECK(opens(first, reused(0), bound));
  CHECK(opens(first, reused(5'000), bound));
  CHECK(opens(first, reused(5'000), bound, 1));
  CHECK_FALSE(opens(second, reused(5'000), bound));
  CHECK(ports.listening(first) == 3);
}

TEST_CASE_METHOD(fixture, "paths are listeners of their own", "[unit][listeners]") {
  auto const at = [](std::string path) {
    endpoint where;
    where.transport = transport::local;
    where.path = std::move(path);
    return where;
  };
  CHECK(opens(first, test::request(at("/a")), at("/a")));
  CHECK_FALSE(opens(second, test::request(at("/a")), at("/a")));
  CHECK(opens(second, test::request(at("/b")), at("/b")));
}

TEST_CASE_METHOD(fixture, "who listens alone counts until it stops", "[unit][listeners]") {
  CHECK(alone(first, 1));
  auto const heard = events<worker_listening>(done());
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].endpoint == port(90));
  CHECK(ports.endpoints(first) == std::vector{port(90)});
  CHECK_FALSE(alone(first, 1));  // it said so already
  CHECK_FALSE(ports.listen(first, 0, to_wire(acceptor_id{1}, test::request(port(91)), 0)));
  SECTION("by closing") {
    CHECK(ports.unlisten(first, acceptor_id{1}));
  }
  SECTION("by draining") {
    ports.drain(first, false);
  }
  SECTION("with its link") {
    ports.link_closed(first, true);
  }
  CHECK(ports.listening(first) == 0);
}

TEST_CASE_METHOD(fixture, "a failure to listen alone is an event", "[unit][listeners]") {
  CHECK(alone(first, 1, asio::error::access_denied));
  auto const failed = events<worker_listen_failed>(done());
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].endpoint == port(90));
  CHECK(failed[0].error == asio::error::access_denied);
  CHECK(ports.listening(first) == 0);
  CHECK(alone(first, 1));  // it may try again
}

}  // namespace prong::core
