// How workers and primaries end.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <stdexcept>

namespace prong::test {

TEST_CASE("a worker that is asked to disconnect serves its connections to their end",
          "[process][ends]") {
  fixture f({});
  auto const id = f.fork("echo");
  client one(f, f.listening());
  one.server();
  bool gone = false;
  f.boss->async_disconnect(id, [&](error_code ec) {
    CHECK_FALSE(ec);
    gone = true;
  });
  // The channel has ended, and the connection has not.
  f.expect<worker_disconnected>();
  CHECK(one.ask("hello") == "hello");
  CHECK_FALSE(gone);
  one.socket.close();
  f.run_until([&] { return gone; });
  auto const how = f.expect<worker_exited>();
  CHECK(how.exited_after_disconnect);
  CHECK(how.status == 0);
  CHECK_FALSE(how.error);
  CHECK(f.disconnect(id) == errc::no_such_worker);
}

TEST_CASE("a disconnected worker of the pool is replaced", "[process][ends]") {
  fixture f(pool_of(1));
  f.listening();
  CHECK_FALSE(f.disconnect(worker_id{1}));
  CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK(f.listening().port() != 0);
  CHECK(f.ids() == std::vector{worker_id{2}});
}

TEST_CASE("disconnecting all completes after the last, and the primary can be used again",
          "[process][ends]") {
  fixture f(pool_of(3));
  f.listening(3);
  CHECK_FALSE(f.complete([&](auto done) { f.boss->async_disconnect(std::move(done)); }));
  CHECK(f.boss->workers().empty());
  for (int count = 0; count < 3; ++count) CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK_FALSE(f.complete([&](auto done) { f.boss->async_disconnect(std::move(done)); }));
  CHECK_FALSE(f.ran);
  auto const id = f.fork("echo");
  CHECK(client(f, f.listening()).server() == id);
}

TEST_CASE("a shutdown closes the ports at once, and waits for open connections",
          "[process][ends]") {
  fixture f(round_robin_pool_of(2));
  auto const port = f.listening(2);
  client one(f, port);
  one.server();
  std::optional<error_code> result;
  f.boss->async_shutdown([&](error_code ec) { result = ec; });
  CHECK_THROWS_AS(client(f, port), boost::system::system_error);
  f.expect<worker_exited>();  // the one that has no connection
  CHECK(one.ask("hello") == "hello");
  CHECK_FALSE(result);
  one.socket.close();
  f.run_until([&] { return result && f.ran; });
  CHECK_FALSE(*result);
  CHECK_FALSE(*f.ran);
}

TEST_CASE("a shutdown may be asked for several times", "[process][ends]") {
  fixture f(pool_of(2));
  f.listening(2);
  int done = 0;
  for (int count = 0; count < 2; ++count)
    f.boss->async_shutdown([&](error_code ec) { done += !ec; });
  f.run_until([&] { return done == 2; });
  CHECK_FALSE(f.shutdown());
  error_code ec;
  f.boss->fork({}, ec);
  CHECK(ec == errc::shutting_down);
  CHECK(f.reload() == asio::error::operation_aborted);
}

TEST_CASE("the events of a shutdown come to an end", "[process][ends]") {
  fixture f(pool_of(1));
  f.listening();
  CHECK_FALSE(f.shutdown());
  CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK(f.complete([&](auto done) {
    f.boss->async_next_event([done](error_code ec, event) mutable { done(ec); });
  }) == asio::error::operation_aborted);
}

TEST_CASE("async_run is called once", "[process][ends]") {
  fixture f(pool_of(1));
  CHECK(f.complete([&](auto done) { f.boss->async_run(std::move(done)); }) ==
        errc::already_running);
  f.listening();
}

// That no process is left is what the fixture checks at the end of each test.
TEST_CASE("destroying a primary kills its workers, those that spin too", "[process][ends]") {
  fixture f({});
  auto const id = f.fork("says_that_it_spins");
  f.fork("echo");
  f.fork("echo");  // is just being started
  f.expect_message(id);
  f.boss.reset();
  CHECK_FALSE(has_child());
}

TEST_CASE("a primary that is assigned over kills its workers", "[process][ends]") {
  fixture f({});
  f.fork("echo");
  f.listening();
  *f.boss = primary(f.io);
  CHECK_FALSE(has_child());
}

TEST_CASE("cancelling async_run drains the workers, or kills them", "[process][ends]") {
  bool const kill = GENERATE(false, true);
  fixture f({}, "spins_when_stopped");
  asio::cancellation_signal cancel;
  std::optional<error_code> ran;
  f.boss->async_run(asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec) { ran = ec; }));
  if (!kill) f.next_worker_runs("echo");
  f.boss->resize(2);
  f.listening(2);
  cancel.emit(kill ? asio::cancellation_type::terminal : asio::cancellation_type::total);
  f.run_until([&] { return ran.has_value(); });
  CHECK(*ran == asio::error::operation_aborted);
  for (int count = 0; count < 2; ++count) CHECK((f.expect<worker_exited>().status != 0) == kill);
  CHECK(f.boss->workers().empty());
}

WORKER_BODY(spins_when_stopped)(worker& self)->awaitable<void> {
  serve_any_port(self);
  co_await self.async_wait_stop(use_awaitable);
  spin();
}

// Unlike one that spins, it says that it stops.
WORKER_BODY(stays_when_stopped)(worker& self)->awaitable<void> {
  serve_any_port(self);
  asio::steady_timer never(self.get_executor(), asio::steady_timer::time_point::max());
  co_await never.async_wait(use_awaitable);
}

TEST_CASE("cancelling a shutdown with force kills the workers", "[process][ends]") {
  fixture f(pool_of(2), "stays_when_stopped");
  f.listening(2);
  asio::cancellation_signal cancel;
  std::optional<error_code> result;
  f.boss->async_shutdown(
      asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec) { result = ec; }));
  f.expect<worker_disconnected>();
  cancel.emit(asio::cancellation_type::terminal);
  f.run_until([&] { return result.has_value(); });
  CHECK_FALSE(*result);
}

WORKER_BODY(disconnects_when_told)(worker& self)->awaitable<void> {
  serve_any_port(self);
  co_await hear(self, "disconnect");
  co_await self.async_disconnect(use_awaitable);
  if (!self.is_stopping()) std::abort();
}

TEST_CASE("a worker can disconnect of its own accord", "[process][ends]") {
  fixture f(pool_of(2), "disconnects_when_told");
  auto const port = f.listening(2);
  REQUIRE_FALSE(f.send(worker_id{1}, "disconnect"));
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.id == worker_id{1});
  CHECK(gone.exited_after_disconnect);
  CHECK(gone.status == 0);
  CHECK(client(f, port).server() != worker_id{1});
  CHECK(f.listening() == port);  // its replacement
}

// --- Death of the primary -----------------------------------------------------------------------

// Says to whom this primary's test listens that it lives, and spins.
WORKER_BODY(connects_and_spins)(worker& self)->awaitable<void> {
  auto const port = static_cast<unsigned short>(std::atoi(std::getenv("PRONG_TEST_PORT")));
  tcp::socket connection(self.get_executor());
  connection.connect({asio::ip::address_v4::loopback(), port});
  co_await say(connection, "it lives");
  co_await tell(self, "it spins");
  spin();
}

// A worker of the test which is a primary, too.
WORKER_BODY(is_a_primary)(worker& self)->awaitable<void> {
  options settings;
  settings.worker.arguments.emplace();
  settings.worker.environment.emplace_back(worker_program_variable, "connects_and_spins");
  primary boss(self.get_executor(), settings);
  auto const id = boss.fork();
  for (;;) {
    auto const next = co_await boss.async_next_event(use_awaitable);
    if (std::holds_alternative<worker_message>(next)) break;
  }
  for (auto const& each : boss.workers()) {
    if (each.id == id && std::getenv("PRONG_TEST_STOP") != nullptr) stop_child(each.process);
  }
  co_await tell(self, "it has a worker");
  auto const how = co_await self.async_receive(use_awaitable);
  if (how.topic == "exit") std::_Exit(0);
  throw std::runtime_error("it was told to throw");
}

namespace {

fork_options is_a_primary(tcp::acceptor const& reports_to) {
  auto const port = std::to_string(reports_to.local_endpoint().port());
  fork_options settings;
  settings.environment = {{worker_program_variable, "is_a_primary"}, {"PRONG_TEST_PORT", port}};
  return settings;
}

}  // namespace

TEST_CASE("when a primary exits or throws its workers end, those that spin too",
          "[process][ends][I9]") {
  fixture f({});
  tcp::acceptor listener(f.io, any_port());
  auto const id = f.boss->fork(is_a_primary(listener));
  CHECK(f.expect_message(id) == "it has a worker");
  client connection(f, listener.accept());
  CHECK(connection.read_line() == "it lives");
  f.send(id, GENERATE("exit", "throw"));
  CHECK_FALSE(connection.read_line());
}

TEST_CASE("when a primary is killed its workers end, those that spin or are stopped too",
          "[process][ends][I9]") {
  fixture f({});
  tcp::acceptor listener(f.io, any_port());
  auto settings = is_a_primary(listener);
  if (GENERATE(false, true)) settings.environment.emplace_back("PRONG_TEST_STOP", "1");
  auto const id = f.boss->fork(settings);
  CHECK(f.expect_message(id) == "it has a worker");
  client connection(f, listener.accept());
  CHECK(connection.read_line() == "it lives");
  f.boss->kill(id);
  // Nobody but that worker has the other end.
  CHECK_FALSE(connection.read_line());
}

}  // namespace prong::test
