// Offers that a worker does not answer: when they are recalled, and where they go.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/convert.hpp"
#include "common/core/listeners.hpp"
#include "support/actions.hpp"
#include "support/catch.hpp"
#include "support/request.hpp"

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using test::only;

constexpr worker_id first{1};
constexpr worker_id second{2};
constexpr acceptor_id door{1};
constexpr listener_id opened{1};

struct fixture {
  explicit fixture(scheduling how = scheduling::round_robin, duration after = 2ms)
      : ports({how, false, 4, {}, false, after}, actions) {
    endpoint const where(asio::ip::address_v4::loopback(), 80);
    auto const request = to_wire(door, test::request(where), 0);
    ports.on_time(now);
    REQUIRE(ports.listen(first, 0, request));
    ports.on_opened(opened, {}, where);
    REQUIRE(ports.listen(second, 1, request));
    test::drain(actions);
  }

  action_queue actions;
  listeners ports;
  time_point now{5s};

  void credit(worker_id id) { REQUIRE(ports.credit(id, {static_cast<std::uint64_t>(door), 1})); }
  // Who is offered what arrives now.
  worker_id arrive(std::uint64_t id) {
    ports.on_connection(opened, {connection_id{id}, {asio::ip::address_v4::loopback(), 9}}, now);
    return offered();
  }
  worker_id offered() {
    auto const all = only<action::offer>(test::drain(actions));
    return all.empty() ? worker_id{} : all.front().to;
  }
  // Who is to lose its offers now.
  worker_id after(time_point::duration time) {
    now += time;
    ports.on_time(now);
    auto const all = only<action::recall>(test::drain(actions));
    return all.empty() ? worker_id{} : all.front().from;
  }
};

struct least : fixture {
  least() : fixture(scheduling::least_connections) {}
};
struct never_recalling : fixture {
  never_recalling() : fixture(scheduling::round_robin, 0ms) {}
};
struct sticky : fixture {
  sticky() : fixture(scheduling::sticky) {}
};

TEST_CASE_METHOD(fixture, "an offer without an answer is recalled after 1 to 2 ms",
                 "[unit][recall]") {
  CHECK(ports.recall_deadline() == never);
  credit(first);
  CHECK(arrive(1) == first);
  credit(second);
  CHECK(ports.recall_deadline() == now + 1ms);
  CHECK(after(1ms) == worker_id{});
  CHECK(after(999us) == worker_id{});
  CHECK(after(1us) == first);
  ports.recalled(first);
  CHECK(offered() == second);
  CHECK(ports.counted().returned == 1);
  CHECK(ports.took(second, connection_id{1}));
  CHECK(after(1ms) == worker_id{});
  CHECK(ports.recall_deadline() == never);
}

TEST_CASE_METHOD(fixture, "an offer stays where it is while nobody else has nothing to do",
                 "[unit][recall]") {
  credit(first);
  CHECK(arrive(1) == first);
  CHECK(after(1ms) == worker_id{});
  CHECK(after(1h) == worker_id{});
  credit(second);
  CHECK(after(1ms) == first);
}

TEST_CASE_METHOD(fixture, "nobody looks at the offers of a worker that is alone",
                 "[unit][recall]") {
  ports.drain(second, true);
  credit(first);
  CHECK(arrive(1) == first);
  CHECK(ports.recall_deadline() == never);
}

TEST_CASE_METHOD(never_recalling, "with 0 nothing is ever recalled", "[unit][recall]") {
  credit(first);
  CHECK(arrive(1) == first);
  credit(second);
  CHECK(ports.recall_deadline() == never);
  CHECK(after(1h) == worker_id{});
}

TEST_CASE_METHOD(least, "least_connections recalls, too", "[unit][recall]") {
  credit(first);
  CHECK(arrive(1) == first);
  credit(second);
  CHECK(after(1ms) == worker_id{});
  CHECK(after(1ms) == first);
  ports.recalled(first);
  CHECK(offered() == second);
}

TEST_CASE_METHOD(sticky, "a connection that belongs to one worker is not recalled",
                 "[unit][recall]") {
  credit(first);
  credit(second);
  CHECK(arrive(1) != worker_id{});
  CHECK(ports.recall_deadline() == never);
  CHECK(after(1ms) == worker_id{});
  CHECK(after(1ms) == worker_id{});
}

TEST_CASE_METHOD(fixture, "a recall that came too late changes nothing", "[unit][recall]") {
  credit(first);
  CHECK(arrive(1) == first);
  CHECK(ports.took(first, connection_id{1}));
  ports.recalled(first);
  CHECK(ports.counted().returned == 0);
  CHECK(ports.pending() == 0);
}

}  // namespace
}  // namespace prong::core
