// The operations of worker and acceptor as Asio's, in a worker and in a process without a primary.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <functional>
#include <thread>

namespace prong::test {
namespace {

using namespace asio::experimental::awaitable_operators;

void require(bool condition, char const* what) {
  if (!condition) throw std::runtime_error(what);
}

// A client in the same process. The kernel connects it.
tcp::socket connected(acceptor const& to) {
  tcp::socket result(to.get_executor());
  result.connect(to.local_endpoint());
  return result;
}

// Each of these throws if something is not as it should be.

awaitable<void> cancelling_an_accept(worker& self) {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  for (auto const kind : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                          asio::cancellation_type::total}) {
    asio::cancellation_signal cancel;
    bool started = false, aborted = false;
    listener.async_accept(
        asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec, tcp::socket) {
          require(started, "completed inside the call");
          aborted = ec == asio::error::operation_aborted;
        }));
    cancel.emit(kind);
    started = true;
    while (!aborted) co_await asio::post(use_awaitable);
  }
  asio::steady_timer timer(self.get_executor(), 1ms);
  auto const first =
      co_await (listener.async_accept(use_awaitable) || timer.async_wait(use_awaitable));
  require(first.index() == 1, "nobody has connected");
  // What nobody has taken is still there for the next.
  auto const client = connected(listener);
  auto const connection = co_await listener.async_accept(use_awaitable);
  require(connection.remote_endpoint() == client.local_endpoint(), "another connection");
}

awaitable<void> cancelling_an_acceptor(worker& self) {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  int aborted = 0;
  for (int count = 0; count < 3; ++count)
    listener.async_accept(
        [&](error_code ec, tcp::socket) { aborted += ec == asio::error::operation_aborted; });
  listener.cancel();
  require(aborted == 0, "completed inside cancel");
  while (aborted < 3) co_await asio::post(use_awaitable);
  auto const client = connected(listener);
  co_await listener.async_accept(use_awaitable);
}

awaitable<void> closing_an_acceptor(worker& self) {
  std::optional<acceptor> listener(std::in_place, self, any_port());
  int aborted = 0;
  auto const accept = [&] {
    listener->async_accept(
        [&](error_code ec, tcp::socket) { aborted += ec == asio::error::operation_aborted; });
  };
  accept();
  listener->close();
  require(!listener->is_open(), "closed");
  while (aborted < 1) co_await asio::post(use_awaitable);
  accept();
  while (aborted < 2) co_await asio::post(use_awaitable);
  listener->open(tcp::v4());
  listener->bind(any_port());
  listener->listen();
  co_await listener->async_listen(use_awaitable);
  accept();
  listener.reset();
  while (aborted < 3) co_await asio::post(use_awaitable);
}

awaitable<void> moving_an_acceptor(worker& self) {
  acceptor first(self, any_port());
  acceptor second(std::move(first));
  co_await second.async_listen(use_awaitable);
  acceptor third(self);
  third = std::move(second);
  auto const client = connected(third);
  auto accepting = third.async_accept(asio::deferred);
  auto const connection = co_await std::move(accepting)(use_awaitable);
  require(connection.remote_endpoint() == client.local_endpoint(), "another connection");
}

awaitable<void> cancelling_a_receive(worker& self) {
  asio::steady_timer timer(self.get_executor(), 1ms);
  auto const first =
      co_await (self.async_receive(use_awaitable) || timer.async_wait(use_awaitable));
  require(first.index() == 1, "nobody has sent");
  timer.expires_after(1ms);
  auto const second =
      co_await (self.async_wait_stop(use_awaitable) || timer.async_wait(use_awaitable));
  require(second.index() == 1, "nobody has asked to stop");
}

awaitable<void> all_idioms(worker& self) {
  co_await cancelling_an_accept(self);
  co_await cancelling_an_acceptor(self);
  co_await closing_an_acceptor(self);
  co_await moving_an_acceptor(self);
  co_await cancelling_a_receive(self);
}

// Runs a coroutine to its end; what it throws is the test's.
template <class Body>
void run(fixture& f, Body body) {
  std::optional<std::exception_ptr> ended;
  asio::co_spawn(f.io, body(), [&](std::exception_ptr how) { ended = how; });
  f.run_until([&] { return ended.has_value(); });
  if (*ended) std::rethrow_exception(*ended);
}

}  // namespace

WORKER_BODY(does_all_idioms)(worker& self)->awaitable<void> {
  std::string result = "as it should be";
  try {
    co_await all_idioms(self);
  } catch (std::exception const& failure) {
    result = failure.what();
  }
  co_await tell(self, result);
}

TEST_CASE("in a worker, operations can be cancelled and objects closed, moved and destroyed",
          "[process][idiom]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  CHECK(f.expect_message(f.fork("does_all_idioms")) == "as it should be");
}

TEST_CASE("standalone, operations can be cancelled and objects closed, moved and destroyed",
          "[process][idiom]") {
  fixture f({});
  worker self(f.io);
  CHECK_NOTHROW(run(f, [&] { return all_idioms(self); }));
}

// Destroys its worker while everything waits.
WORKER_PROGRAM(destroys_its_worker) {
  asio::io_context io;
  std::optional<worker> self(std::in_place, io);
  std::optional<acceptor> listener(std::in_place, *self, any_port());
  int aborted = 0;
  auto const handler = [&](error_code ec, auto&&...) {
    aborted += ec == asio::error::operation_aborted;
  };
  std::size_t sent = 0;
  for (std::size_t count = 0; count <= message_window; ++count)
    self->async_send(message("hello", ""), [&, count](error_code ec) {
      if (count < message_window)
        sent += !ec;
      else
        handler(ec);
    });
  while (sent < message_window) io.run_one();
  listener->async_accept(handler);
  self->async_receive(handler);
  self->async_wait_stop(handler);
  self.reset();
  listener->async_accept(handler);  // an acceptor may outlive its worker
  io.run();
  return aborted == 5 ? 42 : aborted;
}

TEST_CASE("destroying a worker completes its operations with operation_aborted",
          "[process][idiom]") {
  fixture f({});
  auto const id = f.fork("destroys_its_worker");
  f.run_until([&] { return f.boss->workers().empty(); });
  CHECK(f.expect_from<worker_exited>(id).status == 42);
}

// --- Standalone ---------------------------------------------------------------------------------

TEST_CASE("without a primary a worker serves by itself", "[process][standalone]") {
  fixture f({});
  worker self(f.io);
  CHECK(self.is_standalone());
  CHECK(self.id() == worker_id{});
  acceptor listener(self, any_port());
  run(f, [&] { return listener.async_listen(use_awaitable); });
  auto const port = listener.local_endpoint();
  acceptor same(self, port);
  CHECK(f.complete([&](auto done) { same.async_listen(std::move(done)); }) ==
        asio::error::address_in_use);
  bool served = false;
  asio::co_spawn(f.io, serve(std::move(listener), worker_id{5}), [&](auto) { served = true; });
  client one(f, port);
  CHECK(one.server() == worker_id{5});
  CHECK(one.ask("hello") == "hello");

  CHECK(f.complete([&](auto done) { self.async_send(message("", ""), std::move(done)); }) ==
        errc::not_a_worker);
  CHECK_FALSE(f.complete([&](auto done) { self.async_disconnect(std::move(done)); }));
  CHECK(self.is_stopping());
  f.run_until([&] { return served; });
  CHECK(one.ask("still here") == "still here");
  one.socket.close();
}

TEST_CASE("a standalone worker that waits for messages does so until it is cancelled",
          "[process][standalone]") {
  fixture f({});
  worker self(f.io);
  run(f, [&] { return cancelling_a_receive(self); });
}

// --- prong::run ---------------------------------------------------------------------------------

namespace {

awaitable<void> reports_to_the_test(worker& self) {
  // Once the primary has answered, it handles signals, too.
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  auto const port = static_cast<unsigned short>(std::atoi(std::getenv("PRONG_TEST_PORT")));
  tcp::socket connection(self.get_executor());
  connection.connect({asio::ip::address_v4::loopback(), port});
  co_await say(connection, "it runs");
  co_await self.async_wait_stop(use_awaitable);
  co_await say(connection, "it stops");
}

}  // namespace

WORKER_PROGRAM(calls_run) {
  return prong::run({}, reports_to_the_test);
}

TEST_CASE("prong::run runs a pool until a signal asks it to stop", "[process]") {
  fixture f({}, "calls_run");
  tcp::acceptor listener(f.io, any_port());
  auto settings = pool_of(2);
  settings.worker.arguments.emplace();
  settings.worker.environment.emplace_back("PRONG_TEST_PORT",
                                           std::to_string(listener.local_endpoint().port()));
  std::thread clients([&] {
    std::array<tcp::socket, 2> workers{listener.accept(), listener.accept()};
    auto const all_say = [&](std::string const& line) {
      for (auto& each : workers) {
        std::string text;
        asio::read_until(each, asio::dynamic_buffer(text), line);
      }
    };
    all_say("it runs\n");
    ask_to_terminate();
    all_say("it stops\n");
  });
  int const status = prong::run(settings, {});  // in the main thread, which gets the signal
  clients.join();
  CHECK(status == 0);
}

TEST_CASE("prong::run reports a failure by its status", "[process]") {
  options settings;
  settings.window = 2'000;
  CHECK(prong::run(settings, reports_to_the_test) == 1);
}

}  // namespace prong::test
