// Connections whose proxy is to say first who the client is.
// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "unit/core/scripted_primary.hpp"

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using state = proxy_header::state;

options behind_proxy() {
  options settings;
  settings.proxy_protocol = true;
  settings.max_pending_connections = 3;
  return settings;
}

struct fixture : scripted_primary {
  fixture() : scripted_primary(behind_proxy(), scheduling::sticky) {
    worker = call([](primary_core& each) { return each.fork(); });
    comes_up(worker);
    grants(worker, 9);
    forget();
  }
  void shows(std::uint64_t connection, proxy_header const& what) {
    call([&](primary_core& each) {
      each.on_proxy_header(listener_id{1}, connection_id{connection}, what);
    });
  }
  // How many looks there were by then, each of which shows half a header.
  std::size_t looks_in(duration time) {
    auto const end = now + time;
    std::size_t looks = 0;
    for (; core.next_deadline() <= end; ++looks) {
      forget();
      at_time(core.next_deadline());
      for (auto const& each : wanted<action::look>())
        shows(static_cast<std::uint64_t>(each.connection), {});
      if (!wanted<action::forget>().empty()) break;
    }
    return looks;
  }
  listeners::counters const& counted() const { return core.ports().counted(); }

  worker_id worker{};
};

proxy_header client(char const* address) {
  return {state::whole, asio::ip::tcp::endpoint(asio::ip::make_address(address), 1)};
}

TEST_CASE_METHOD(fixture, "a connection is looked at before it goes to a worker",
                 "[unit][proxy][I1]") {
  arrive(1, 1);
  auto const looks = wanted<action::look>();
  REQUIRE(looks.size() == 1);
  CHECK(looks[0].connection == connection_id{1});
  CHECK(offers().empty());
  CHECK(core.ports().pending() == 1);
  shows(1, client("10.0.0.1"));
  CHECK(offers().size() == 1);
  CHECK(core.ports().pending() == 0);
}

TEST_CASE_METHOD(fixture, "a connection without a header is closed", "[unit][proxy][I4]") {
  arrive(1, 1);
  shows(1, {state::invalid, {}});
  CHECK(offers().empty());
  CHECK(wanted<action::forget>().size() == 1);
  CHECK(counted().headless == 1);
  CHECK(core.ports().pending() == 0);
}

TEST_CASE_METHOD(fixture, "half a header is waited for, for three seconds", "[unit][proxy]") {
  arrive(1, 1);
  shows(1, {});
  CHECK(core.next_deadline() == now + 1ms);
  CHECK(looks_in(2'900ms) > 100);
  CHECK(counted().headless == 0);
  CHECK(looks_in(200ms) < 20);
  CHECK(counted().headless == 1);
  CHECK(core.next_deadline() == never);
}

TEST_CASE_METHOD(fixture, "a header that comes late is as good", "[unit][proxy]") {
  arrive(1, 1);
  shows(1, {});
  CHECK(looks_in(1s) > 1);
  shows(1, client("10.0.0.1"));
  CHECK(offers().size() == 1);
}

TEST_CASE_METHOD(fixture, "who has not said its name holds up nobody else, within bounds",
                 "[unit][proxy][I7]") {
  arrive(1, 2);
  shows(1, {});
  shows(2, client("10.0.0.1"));
  CHECK(offers().size() == 1);
  arrive(3, 4);
  CHECK(wanted<action::stop_accepting>().size() == 1);
  shows(1, {state::invalid, {}});
  CHECK(wanted<action::start_accepting>().size() == 1);
}

TEST_CASE_METHOD(fixture, "connections that wait to be looked at are closed with their port",
                 "[unit][proxy][I4]") {
  arrive(1, 1);
  shows(1, {});
  call([](primary_core& each) { each.shutdown(); });
  CHECK(wanted<action::forget>().size() == 1);
  CHECK(counted().closed == 1);
  shows(1, client("10.0.0.1"));  // a look that was under way
  CHECK(offers().empty());
}

TEST_CASE("where the policy does not ask who the client is, nobody looks", "[unit][proxy]") {
  scripted_primary all(behind_proxy(), scheduling::least_connections);
  all.comes_up(all.call([](primary_core& each) { return each.fork(); }));
  all.arrive(1, 1);
  CHECK(all.wanted<action::look>().empty());
}

}  // namespace
}  // namespace prong::core
