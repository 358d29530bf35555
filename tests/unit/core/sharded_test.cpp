// Listening sockets of slots: when each opens and closes.
// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "unit/core/scripted_primary.hpp"

namespace prong::core {
namespace {

using namespace std::chrono_literals;

struct fixture : scripted_primary {
  explicit fixture(options settings = {}) : scripted_primary(settings, scheduling::sharded) {}

  worker_id fork(unsigned short number = 80) {
    auto const id = call([](primary_core& each) { return each.fork(); });
    says_hello(id);
    listens(id, 1, number);
    return id;
  }
  // Which socket the worker was given last.
  listener_id socket_of(worker_id id) const {
    listener_id last{};
    for (auto const& each : wanted<action::share>())
      if (each.to == id) last = each.listener;
    REQUIRE(last != listener_id{});
    return last;
  }
  std::vector<listener_id> closed() const {
    std::vector<listener_id> ids;
    for (auto const& each : wanted<action::close_listener>()) ids.push_back(each.id);
    return ids;
  }
  listener_id last_opened() const { return wanted<action::open_listener>().back().id; }
};

struct pool_of_two : fixture {
  pool_of_two() : fixture(pool_of(2)) {
    call([](primary_core& each) { each.run(); });
    for (auto const id : spawned()) comes_up(id);
  }
  void resize(std::size_t size) {
    call([&](primary_core& each) { each.resize(size); });
  }
  worker_id const first{1}, second{2};
};

TEST_CASE_METHOD(fixture, "each slot has a socket, which divides a port with the others",
                 "[unit][sharded]") {
  auto const first = fork(), second = fork();
  CHECK(socket_of(first) != socket_of(second));
  auto const opened = wanted<action::open_listener>();
  REQUIRE(opened.size() == 2);
  for (auto const& each : opened) {
    CHECK(each.what.how.reuse_port);
    CHECK(each.what.where == port(80));
  }
  CHECK(wanted<action::start_accepting>().empty());
  for (auto const& each : wanted<action::share>()) CHECK(each.what.queue == 0);  // each has its own
  CHECK(reported<worker_listening>().size() == 2);
  CHECK(core.workers()[1].endpoints == std::vector{port(80)});
}

TEST_CASE("the port that the first slot got as port 0 is that of all", "[unit][sharded]") {
  action_queue actions;
  listeners ports({scheduling::sharded, false, 4, {}, false}, actions);
  auto const bound = scripted_primary::port(5'000);
  auto const request = to_wire(acceptor_id{1}, test::request(scripted_primary::port(0)), 0);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    REQUIRE(ports.listen(worker_id{id}, id, request));
    auto const opens = test::only<action::open_listener>(test::drain(actions));
    REQUIRE(opens.size() == 1);
    CHECK(opens[0].what.where.port == (id == 1 ? 0 : 5'000));
    ports.on_opened(opens[0].id, {}, bound);
    test::drain(actions);
  }
  auto const by_number = to_wire(acceptor_id{1}, test::request(bound), 0);
  REQUIRE(ports.listen(worker_id{4}, 2, by_number));
  CHECK(test::only<action::open_listener>(test::drain(actions)).empty());
}

TEST_CASE_METHOD(pool_of_two, "the successor of a dead worker gets its socket", "[unit][sharded]") {
  auto const socket = socket_of(second);
  dies(second);
  CHECK(closed().empty());
  auto const next = spawned().back();
  comes_up(next);
  CHECK(socket_of(next) == socket);
  CHECK(wanted<action::open_listener>().size() == 2);
}

TEST_CASE_METHOD(pool_of_two, "a reload leaves each slot its socket", "[unit][sharded]") {
  call([](primary_core& each) { return each.reload(); });
  for (auto const old : {first, second}) {
    auto const next = spawned().back();
    comes_up(next);
    CHECK(socket_of(next) == socket_of(old));
    drains_and_ends(old);
  }
  CHECK(closed().empty());
}

TEST_CASE_METHOD(pool_of_two, "a worker that is asked to go leaves its socket to its successor",
                 "[unit][sharded]") {
  call([&](primary_core& each) { each.stop(second); });
  drains_and_ends(second);
  CHECK(closed().empty());
  auto const next = spawned().back();
  comes_up(next);
  CHECK(socket_of(next) == socket_of(second));
}

TEST_CASE_METHOD(pool_of_two, "the socket of a slot that goes closes at once", "[unit][sharded]") {
  resize(1);
  CHECK(closed() == std::vector{socket_of(second)});
  resize(2);
  auto const next = spawned().back();
  comes_up(next);
  CHECK(socket_of(next) == last_opened());
}

TEST_CASE_METHOD(pool_of_two, "it closes, too, while the slot waits for a worker",
                 "[unit][sharded]") {
  auto const socket = socket_of(second);
  dies(second);
  dies(spawned().back());  // its successor has to wait
  resize(1);
  CHECK(closed() == std::vector{socket});
}

TEST_CASE_METHOD(fixture, "without a pool the socket of a dead worker closes, unless ports stay",
                 "[unit][sharded]") {
  options settings;
  settings.keep_ports_open = GENERATE(false, true);
  fixture all(settings);
  auto const first = all.fork();
  all.fork();
  auto const socket = all.socket_of(first);
  all.dies(first);
  CHECK(all.closed().empty() == *settings.keep_ports_open);
  auto const next = all.fork();
  CHECK((all.socket_of(next) == socket) == *settings.keep_ports_open);
  all.call([&](primary_core& each) { each.stop(next); });
  CHECK(all.closed().back() == all.socket_of(next));  // nobody is to have its slot
}

TEST_CASE_METHOD(fixture, "an acceptor that closes closes its slot's socket", "[unit][sharded]") {
  auto const first = fork(), second = fork();
  says(first, wire::unlisten{1});
  CHECK(closed() == std::vector{socket_of(first)});
  listens(first);
  CHECK(socket_of(first) == last_opened());
  CHECK(socket_of(first) != socket_of(second));
}

TEST_CASE_METHOD(fixture, "what cannot be divided is shared", "[unit][sharded]") {
  auto const first = fork(), second = fork();
  forget();
  detail::listen_request what;
  what.where.transport = GENERATE(transport::udp, transport::local);
  for (auto const id : {first, second}) says(id, to_wire(acceptor_id{2}, what, 0));
  CHECK(wanted<action::open_listener>().size() == 1);
  CHECK(socket_of(first) == socket_of(second));
  // Datagrams have no turns.
  bool const is_queue = what.where.transport == transport::local;
  for (auto const& each : wanted<action::share>())
    CHECK(each.what.queue == (is_queue ? static_cast<std::uint32_t>(socket_of(first)) : 0));
}

}  // namespace
}  // namespace prong::core
