// Which worker gets a connection.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <map>
#include <set>

namespace prong::test {
namespace {

tcp::endpoint loopback_v6() {
  return {asio::ip::address_v6::loopback(), 0};
}

}  // namespace

TEST_CASE("400 connections, one after the other, are 100 for each of 4 workers", "[process]") {
  fixture f(round_robin_pool_of(4), "echo_both");
  auto const port = f.listening(4);
  // A worker that answers has asked for its first connection: none begins late.
  for (auto const id : f.ids()) f.ask(id, "ready");
  std::map<worker_id, int> served;
  for (int count = 0; count < 400; ++count) {
    client one(f, port);
    ++served[one.server()];
    // A worker that answers has said before that it has room for the next connection.
    CHECK(one.ask("hello") == "hello");
  }
  REQUIRE(served.size() == 4);
  for (auto const& [id, count] : served) {
    INFO("worker " << static_cast<unsigned>(id));
    CHECK(count == 100);
  }
}

WORKER_BODY(echo_on_v6)(worker& self)->awaitable<void> {
  co_await serve(acceptor(self, loopback_v6()), self.id());
}

TEST_CASE("both kinds of scheduling serve connections of both versions of IP", "[process]") {
  auto settings = pool_of(3);
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  auto const* const body = GENERATE("echo", "echo_on_v6");
  INFO(body << (settings.scheduling == scheduling::shared ? ", shared" : ", round robin"));
  fixture f(settings, body);
  auto const port = f.listening(3);
  auto const known = f.ids();
  for (int count = 0; count < 30; ++count) {
    client one(f, port);
    CHECK(std::count(known.begin(), known.end(), one.server()) == 1);
    CHECK(one.ask("hello") == "hello");
  }
}

TEST_CASE("with shared scheduling, connections that come at once are served by several workers",
          "[process]") {
  auto settings = pool_of(2);
  settings.scheduling = scheduling::shared;
  fixture f(settings, "accepts_one_and_waits");
  auto const port = f.listening(2);
  client first(f, port);
  client second(f, port);
  CHECK(first.server() != second.server());
}

// As slow as a worker can be.
WORKER_BODY(accepts_one_and_waits)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  auto connection = co_await listener.async_accept(use_awaitable);
  co_await say(connection, std::to_string(static_cast<unsigned>(self.id())));
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("port 0 is the same port in every worker", "[process]") {
  auto settings = pool_of(3);
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  auto const port = f.listening();
  CHECK(port.port() != 0);
  CHECK(f.listening() == port);
  CHECK(f.listening() == port);
  for (auto const& each : f.boss->workers())
    CHECK(each.endpoints == std::vector<prong::endpoint>{port});
}

WORKER_BODY(says_its_two_ports)(worker& self)->awaitable<void> {
  acceptor first(self, any_port());
  acceptor second(self, any_port());
  co_await first.async_listen(use_awaitable);
  co_await second.async_listen(use_awaitable);
  co_await tell(self, std::to_string(first.local_endpoint().port()) + " and " +
                          std::to_string(second.local_endpoint().port()));
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("two acceptors on port 0 have two ports, the same two in every worker", "[process]") {
  fixture f(pool_of(3), "says_its_two_ports");
  auto const said = f.expect<worker_message>().message.topic;
  CHECK(f.expect<worker_message>().message.topic == said);
  CHECK(f.expect<worker_message>().message.topic == said);
  std::set<tcp::endpoint> ports;
  for (int count = 0; count < 6; ++count) ports.insert(f.listening());
  CHECK(ports.size() == 2);
}

WORKER_BODY(listens_only)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  co_await answer_messages(self);
}

TEST_CASE("a worker that does not accept gets nothing", "[process]") {
  fixture f({}, "echo");
  auto const idle = f.fork("listens_only");
  f.listening();
  auto const busy = f.fork("echo");
  auto const port = f.listening();
  for (int count = 0; count < 20; ++count) CHECK(client(f, port).server() == busy);
  f.ask(idle, "it lives");
}

// Serves until it is told to block, and does not come back from that.
WORKER_BODY(blocks_when_told)(worker& self)->awaitable<void> {
  serve_any_port(self);
  co_await hear(self, "block");
  co_await tell(self, "about to block");
  spin();
}

TEST_CASE("a worker that blocks keeps no connection waiting that another can serve", "[process]") {
  auto settings = round_robin_pool_of(0);
  settings.stop_timeout = 100ms;
  settings.recall_after = 1ms;
  fixture f(settings, "echo");
  auto const other = f.fork("echo");
  auto const port = f.listening();
  auto const blocked = f.fork("blocks_when_told");
  f.listening();
  // Both are asked for connections by now.
  for (int count = 0; count < 4; ++count) client(f, port).server();
  f.send(blocked, "block");
  f.expect_message(blocked);

  constexpr int all = 10;
  int answered = 0;
  std::deque<client> clients;
  std::deque<std::string> greetings(all);
  for (int count = 0; count < all; ++count) {
    auto& connection = clients.emplace_back(f, port);
    asio::async_read_until(connection.socket, asio::dynamic_buffer(greetings[clients.size() - 1]),
                           '\n', [&](error_code ec, std::size_t) { answered += !ec; });
  }
  f.run_until([&] { return answered == all; });
  auto const by = std::to_string(static_cast<unsigned>(other)) + '\n';
  CHECK(std::count(greetings.begin(), greetings.end(), by) == all);
}

awaitable<void> greet_or_spin(tcp::socket connection, worker_id by) {
  std::string line;
  co_await asio::async_read_until(connection, asio::dynamic_buffer(line), '\n', use_awaitable);
  if (line == "spin\n") spin();
  co_await say(connection, std::to_string(static_cast<unsigned>(by)));
}

awaitable<void> greet_or_spin(worker& self) {
  acceptor listener(self, any_port());
  for (;;) {
    auto connection = co_await listener.async_accept(use_awaitable);
    asio::co_spawn(self.get_executor(), greet_or_spin(std::move(connection), self.id()), detached);
  }
}

WORKER_BODY(spins_when_asked)(worker& self)->awaitable<void> {
  asio::co_spawn(self.get_executor(), greet_or_spin(self), detached);
  co_await answer_messages(self);
}

TEST_CASE("a worker answers what is there before it asks for more", "[process]") {
  auto settings = round_robin_pool_of(2);
  settings.stop_timeout = 100ms;
  settings.recall_after = 0ms;  // what a worker has asked for, it keeps
  fixture f(settings, "spins_when_asked");
  auto const port = f.listening(2);
  for (auto const id : f.ids()) f.ask(id, "ready");
  // Is there when the primary, which runs in this thread, accepts the connection.
  auto const request = [](client& from, std::string_view line) {
    asio::write(from.socket, asio::buffer(line));
  };
  client spinning(f, port);
  request(spinning, "spin\n");
  std::set<worker_id> served_by;
  for (int count = 0; count < 5; ++count) {
    client one(f, port);
    request(one, "hello\n");
    served_by.insert(one.server());
  }
  CHECK(served_by.size() == 1);
}

}  // namespace prong::test
