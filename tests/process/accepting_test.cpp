// Accepting what Asio has not had, and the address of the client.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

namespace prong::test {
namespace {

// A client that has connected and left so that the system forgets its connection at once.
void connect_and_reset(asio::any_io_executor io, tcp::endpoint const& where) {
  tcp::socket gone(std::move(io));
  gone.connect(where);
  gone.set_option(asio::socket_base::linger(true, 0));
  gone.close();  // Asio's destructor would undo the option
}

tcp::endpoint listens(fixture& f, acceptor& listener) {
  REQUIRE_FALSE(f.complete([&](auto done) { listener.async_listen(std::move(done)); }));
  return listener.local_endpoint();
}

}  // namespace

WORKER_BODY(serves_connections_of_messages)(worker& self)->awaitable<void> {
  for (;;) {
    auto gift = co_await self.async_receive(use_awaitable);
    tcp::socket connection(self.get_executor());
    assign_socket(connection, tcp::v4(), std::move(gift.socket));
    asio::co_spawn(self.get_executor(), greet_and_echo(std::move(connection), self.id()), detached);
  }
}

TEST_CASE("what the primary's process accepts as a handle goes to the worker it chooses",
          "[process][accepting]") {
  fixture f({});
  auto const first = f.fork("serves_connections_of_messages");
  auto const second = f.fork("serves_connections_of_messages");
  worker here(f.io);
  acceptor listener(here, any_port());
  auto const where = listens(f, listener);
  for (auto const chosen : {second, first, second}) {
    client one(f, where);
    tcp::endpoint from;
    socket_handle connection;
    f.complete([&](auto done) {
      listener.async_accept_handle(from, [&, done](error_code ec, socket_handle accepted) mutable {
        connection = std::move(accepted);
        done(ec);
      });
    });
    CHECK(from == one.socket.local_endpoint());
    message gift("client", "", std::move(connection));
    REQUIRE_FALSE(f.complete(
        [&](auto done) { f.boss->async_send(chosen, std::move(gift), std::move(done)); }));
    CHECK(one.server() == chosen);
    CHECK(one.ask("hello") == "hello");
  }
}

WORKER_BODY(gives_its_connection_to_the_primary)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  auto connection = co_await listener.async_accept_handle(use_awaitable);
  message gift("client", "", std::move(connection));
  co_await self.async_send(std::move(gift), use_awaitable);
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("a connection that a worker accepts as a handle can go to the primary",
          "[process][accepting]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  f.fork("gives_its_connection_to_the_primary");
  client one(f, f.listening());
  auto gift = f.expect<worker_message>().message;
  tcp::socket connection(f.io);
  assign_socket(connection, tcp::v4(), std::move(gift.socket));
  CHECK(connection.remote_endpoint() == one.socket.local_endpoint());
  asio::co_spawn(f.io, greet_and_echo(std::move(connection), worker_id{77}), detached);
  CHECK(one.server() == worker_id{77});
  one.socket.close();
}

TEST_CASE("accepting a handle is cancelled as accepting a socket, and completes where it is told",
          "[process][accepting]") {
  fixture f({});
  worker here(f.io);
  acceptor listener(here, any_port());
  auto const where = listens(f, listener);
  asio::cancellation_signal cancel;
  error_code cancelled;
  listener.async_accept_handle(
      asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec, socket_handle connection) {
        CHECK_FALSE(connection);
        cancelled = ec;
      }));
  cancel.emit(asio::cancellation_type::total);
  f.run_until([&] { return cancelled == asio::error::operation_aborted; });

  asio::io_context other;
  bool accepted = false;
  auto handler = [&](error_code ec, socket_handle connection) {
    CHECK(other.get_executor().running_in_this_thread());
    accepted = !ec && connection;
  };
  listener.async_accept_handle(asio::bind_executor(other, handler));
  client one(f, where);
  f.run_until([&] {
    other.restart();
    other.poll();
    return accepted;
  });
  CHECK_FALSE(one.read_line());  // the handle was closed
}

TEST_CASE("a client that has left already fails no accept that asks for its address",
          "[process][accepting]") {
  fixture f({});
  worker here(f.io);
  acceptor listener(here, any_port());
  auto const where = listens(f, listener);
  connect_and_reset(f.io.get_executor(), where);
  client one(f, where);
  auto const port = one.socket.local_endpoint().port();
  bool const as_handle = GENERATE(false, true);
  bool found = false;
  auto const find = [&]() -> awaitable<void> {
    for (tcp::endpoint from; from.port() != port;) {
      if (as_handle)
        co_await listener.async_accept_handle(from, use_awaitable);
      else
        co_await listener.async_accept(from, use_awaitable);
    }
    found = true;
  };
  asio::co_spawn(f.io, find(), [](std::exception_ptr how) { CHECK_FALSE(how); });
  f.run_until([&] { return found; });
}

}  // namespace prong::test
