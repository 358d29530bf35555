// max_connections, and what else goes by the connections that a worker counts.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <cstdlib>

namespace prong::test {
namespace {

awaitable<void> serve_counted(tcp::socket connection, worker_id by, open_connection counted) {
  try {
    co_await greet_and_echo(std::move(connection), by);
  } catch (boost::system::system_error const&) {
    counted.reset();  // the client has gone
  }
}

awaitable<void> serve_some(acceptor& from, worker_id by) {
  for (;;) {
    auto [ec, connection] = co_await from.async_accept(asio::as_tuple(use_awaitable));
    if (ec) co_return;
    auto const executor = connection.get_executor();
    asio::co_spawn(executor, serve_counted(std::move(connection), by, from.count_connection()),
                   detached);
  }
}

listen_options at_most(std::size_t connections, bool drop = false) {
  listen_options how;
  how.max_connections = connections;
  how.drop_max_connections = drop;
  return how;
}

}  // namespace

WORKER_BODY(serves_one_at_a_time)(worker& self)->awaitable<void> {
  acceptor from(self, any_port(), at_most(1));
  co_await serve_some(from, self.id());
}

TEST_CASE("at its limit a worker leaves connections to others, and then they wait",
          "[process][limits]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  settings.workers = 2;
  fixture f(settings, "serves_one_at_a_time");
  auto const port = f.listening(2);
  client first(f, port);
  client second(f, port);
  auto const served_first = first.server();
  CHECK(second.server() != served_first);
  client third(f, port);
  first.socket.close();
  CHECK(third.server() == served_first);
  CHECK(second.ask("unharmed") == "unharmed");
}

WORKER_BODY(turns_away_at_one)(worker& self)->awaitable<void> {
  acceptor from(self, any_port(), at_most(1, true));
  asio::co_spawn(self.get_executor(), serve_some(from, self.id()), detached);
  for (;;) {
    co_await hear(self, "how many");
    co_await tell(self, std::to_string(from.turned_away()));
  }
}

TEST_CASE("with drop_max_connections a connection over the limit is closed at once",
          "[process][limits]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  settings.workers = 1;
  fixture f(settings, "turns_away_at_one");
  auto const port = f.listening();
  client first(f, port);
  auto const id = first.server();
  for (int count = 0; count < 3; ++count) CHECK_FALSE(client(f, port).read_line());
  CHECK(f.ask(id, "how many") == "3");
  CHECK(first.ask("unharmed") == "unharmed");
  first.socket.close();
  // The worker sees that end in its own time: until then it may turn others away.
  std::optional<std::string> line;
  while (!line) line = client(f, port).read_line();
  CHECK(line == std::to_string(static_cast<unsigned>(id)));
}

WORKER_BODY(takes_none)(worker& self)->awaitable<void> {
  acceptor from(self, any_port(), at_most(0, true));
  co_await serve_some(from, self.id());
}

TEST_CASE("a limit of no connections turns all away", "[process][limits]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  settings.workers = 1;
  fixture f(settings, "takes_none");
  CHECK_FALSE(client(f, f.listening()).read_line());
}

// Ends with status 7 as soon as it has disconnected.
WORKER_BODY(ends_when_disconnected)(worker& self)->awaitable<void> {
  acceptor from(self, any_port());
  asio::co_spawn(self.get_executor(), serve_some(from, self.id()), detached);
  co_await hear(self, "disconnect");
  co_await self.async_disconnect(use_awaitable);
  std::_Exit(7);
}

TEST_CASE("a worker's own disconnect waits for the connections that it counts",
          "[process][limits]") {
  fixture f({});
  auto const id = f.fork("ends_when_disconnected");
  client one(f, f.listening());
  CHECK(one.server() == id);
  REQUIRE_FALSE(f.send(id, "disconnect"));
  f.expect<worker_disconnected>();
  CHECK(one.ask("still here") == "still here");
  one.socket.close();
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.status == 7);
  CHECK(gone.exited_after_disconnect);
}

}  // namespace prong::test
