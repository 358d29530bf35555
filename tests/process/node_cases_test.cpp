// What Node's own tests of cluster ask for and no other file here shows. docs/node-parity.md says
// which test is for which of them.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/redirect_error.hpp>
#include <cstdlib>

namespace prong::test {
namespace {

options one_of_both_schedulings() {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  return settings;
}

// Starts a worker and gives it the port of `who`.
worker_id fork_with_port(fixture& f, std::string const& body, tcp::acceptor const& who) {
  fork_options own;
  own.environment = {{worker_program_variable, body},
                     {"PRONG_TEST_PORT", std::to_string(who.local_endpoint().port())}};
  return f.boss->fork(own);
}

tcp::endpoint given_port() {
  auto const number = static_cast<unsigned short>(std::atoi(std::getenv("PRONG_TEST_PORT")));
  return {asio::ip::address_v4::loopback(), number};
}

// The first port that this process may not have; 0 if there is none.
unsigned short forbidden_port(asio::any_io_executor const& io) {
  for (unsigned short number = 1; number < 1024; ++number) {
    tcp::acceptor one(io, tcp::v4());
    error_code ec;
    one.bind({asio::ip::address_v4::loopback(), number}, ec);
    if (ec == asio::error::access_denied) return number;
  }
  return 0;
}

std::string text_of(error_code ec) {
  return ec.message();
}

}  // namespace

// --- Ports that cannot be had -------------------------------------------------------------------

// Is a primary, too, whose worker is to listen where a message says, or where it may not. Tells
// what that worker says, and what the event says.
WORKER_BODY(is_a_primary_of_one_that_listens)(worker& self)->awaitable<void> {
  auto const what = co_await self.async_receive(use_awaitable);
  auto where = what.body;
  if (what.topic == "forbidden") {
    auto const number = forbidden_port(self.get_executor());
    if (number == 0) {
      co_await tell(self, "no such port");
      co_return;
    }
    where = "127.0.0.1 " + std::to_string(number);
  }
  primary boss(self.get_executor());
  fork_options own;
  own.environment = {{worker_program_variable, "listens_where_told"}};
  message question("listen", where);
  co_await boss.async_send(boss.fork(own), std::move(question), use_awaitable);
  std::string said, heard;
  while (said.empty() || heard.empty()) {
    auto next = co_await boss.async_next_event(use_awaitable);
    if (auto const* const told = std::get_if<worker_message>(&next)) said = told->message.topic;
    if (auto const* const failed = std::get_if<worker_listen_failed>(&next))
      heard = text_of(failed->error);
  }
  co_await tell(self, said + ", " + heard);
}

TEST_CASE("a port that another primary has is in use", "[process][node]") {
  fixture f({});
  auto const port = f.ask(f.fork("listens_where_told"), "listen", "127.0.0.1 0");
  auto const other = f.fork("is_a_primary_of_one_that_listens");
  CHECK(f.ask(other, "listen", port) == "address in use, " + text_of(asio::error::address_in_use));
}

TEST_CASE("a port that the primary may not have is an error in its worker", "[process][node]") {
  fixture f({});
  fork_options own;
  own.environment = {{worker_program_variable, "is_a_primary_of_one_that_listens"},
                     {"PRONG_SCHED_POLICY", GENERATE("rr", "none")}};
  if (may_change_user()) own.user = another_user;
  auto const answer = f.ask(f.boss->fork(own), "forbidden");
  if (answer == "no such port") {
    WARN("not shown here: everybody may have every port");
    return;
  }
  auto const denied = text_of(asio::error::access_denied);
  CHECK(answer == denied + ", " + denied);
}

WORKER_BODY(disconnects_if_its_port_is_in_use)(worker& self)->awaitable<void> {
  acceptor listener(self, given_port());
  error_code ec;
  co_await listener.async_listen(asio::redirect_error(use_awaitable, ec));
  if (ec == asio::error::address_in_use) co_await self.async_disconnect(use_awaitable);
}

TEST_CASE("a worker whose port is in use can disconnect", "[process][node]") {
  fixture f(one_of_both_schedulings());
  tcp::acceptor const taken(f.io, any_port(), false);
  fork_with_port(f, "disconnects_if_its_port_is_in_use", taken);
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.status == 0);
  CHECK(gone.exited_after_disconnect);
}

WORKER_BODY(throws_if_its_port_is_in_use)(worker& self)->awaitable<void> {
  acceptor listener(self, given_port());
  co_await listener.async_listen(use_awaitable);
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("a worker that throws because its port is in use ends, also while it is to disconnect",
          "[process][node]") {
  fixture f(one_of_both_schedulings());
  auto const other = f.fork("answers_messages");
  tcp::acceptor const taken(f.io, any_port(), false);
  auto const id = fork_with_port(f, "throws_if_its_port_is_in_use", taken);
  bool const disconnects = GENERATE(false, true);
  if (disconnects) CHECK_FALSE(f.disconnect(id));
  auto const gone = f.expect_from<worker_exited>(id);
  CHECK(gone.exited_after_disconnect == disconnects);
  if (!disconnects) CHECK(gone.status != 0);
  CHECK(f.ask(other, "hello") == "hello");
}

// --- Disconnecting ------------------------------------------------------------------------------

TEST_CASE("a worker that has disconnected can still be killed", "[process][node]") {
  fixture f({});
  auto const id = f.fork("echo");
  client one(f, f.listening());
  one.server();
  std::optional<error_code> done;
  f.boss->async_disconnect(id, [&](error_code ec) { done = ec; });
  f.expect<worker_disconnected>();
  f.boss->kill(id);
  f.run_until([&] { return done.has_value(); });
  CHECK_FALSE(*done);
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.signal != 0);
  CHECK(gone.exited_after_disconnect);
  error_code ec;
  f.boss->kill(id, ec);
  CHECK(ec == errc::no_such_worker);
}

TEST_CASE("disconnecting all waits for a worker that has disconnected and not ended",
          "[process][node]") {
  fixture f({});
  auto const first = f.fork("echo");
  client one(f, f.listening());
  one.server();
  auto const second = f.fork("echo");
  f.listening();
  f.boss->async_disconnect(first, [](error_code ec) { CHECK_FALSE(ec); });
  f.expect_from<worker_disconnected>(first);
  std::optional<error_code> done;
  f.boss->async_disconnect([&](error_code ec) { done = ec; });
  f.expect_from<worker_exited>(second);
  CHECK(one.ask("still here") == "still here");
  CHECK_FALSE(done);
  one.socket.close();
  f.run_until([&] { return done.has_value(); });
  CHECK_FALSE(*done);
  CHECK(f.boss->workers().empty());
}

TEST_CASE("workers that never listened are disconnected, too", "[process][node]") {
  fixture f({});
  f.fork("answers_messages");
  f.expect<worker_online>();
  f.fork("answers_messages");  // is just being started
  CHECK_FALSE(f.complete([&](auto done) { f.boss->async_disconnect(std::move(done)); }));
  CHECK(f.boss->workers().empty());
  for (int count = 0; count < 2; ++count) {
    auto const gone = f.expect<worker_exited>();
    CHECK(gone.status == 0);
    CHECK(gone.exited_after_disconnect);
  }
}

TEST_CASE("a worker without a share in a port leaves it as it is", "[process][node]") {
  fixture f(one_of_both_schedulings());
  auto const first = f.fork("echo");
  auto const port = f.listening();
  auto const second = f.fork("answers_messages");
  f.expect_from<worker_online>(second);
  CHECK_FALSE(f.disconnect(second));
  CHECK(f.expect<worker_exited>().status == 0);
  CHECK(client(f, port).server() == first);
}

TEST_CASE("a worker that disconnects while another starts leaves it alone", "[process][node]") {
  fixture f(one_of_both_schedulings());
  auto const first = f.fork("echo");
  f.listening();
  auto const second = f.fork("echo");
  CHECK_FALSE(f.disconnect(first));
  CHECK(f.expect<worker_exited>().status == 0);
  CHECK(client(f, f.listening()).server() == second);
}

TEST_CASE("workers that are disconnected while connections arrive end well", "[process][node]") {
  fixture f(one_of_both_schedulings());
  f.fork("echo");
  f.fork("echo");
  auto const port = f.listening(2);
  std::deque<client> clients;
  for (int count = 0; count < 10; ++count) clients.emplace_back(f, port);
  int done = 0;
  for (auto const id : f.ids()) f.boss->async_disconnect(id, [&](error_code ec) { done += !ec; });
  for (int count = 0; count < 2; ++count) f.expect<worker_disconnected>();
  clients.clear();
  f.run_until([&] { return done == 2; });
  for (int count = 0; count < 2; ++count) {
    auto const gone = f.expect<worker_exited>();
    CHECK(gone.status == 0);
    CHECK_FALSE(gone.error);
  }
}

TEST_CASE("workers that disconnect by themselves while they are sent messages do no harm",
          "[process][node]") {
  fixture f({});
  constexpr int count = 4;
  for (int number = 0; number < count; ++number) f.fork("disconnects_when_told");
  f.listening(count);
  auto const tell_all = [&] {
    for (auto const id : f.ids())
      f.boss->async_send(id, message("disconnect", ""), [](error_code ec) {
        if (ec && ec != errc::no_such_worker) CHECK(ec == errc::worker_gone);
      });
  };
  tell_all();
  for (int number = 0; number < count; ++number) {
    f.expect<worker_disconnected>();
    tell_all();
  }
  for (int number = 0; number < count; ++number) {
    auto const gone = f.expect<worker_exited>();
    CHECK(gone.status == 0);
    CHECK(gone.exited_after_disconnect);
  }
}

WORKER_BODY(has_a_connection_of_its_own)(worker& self)->awaitable<void> {
  tcp::socket connection(self.get_executor());
  connection.connect(given_port());
  asio::co_spawn(self.get_executor(), greet_and_echo(std::move(connection), self.id()), detached);
  co_return;
}

TEST_CASE("a disconnected worker lives as long as a connection that it made", "[process][node]") {
  fixture f({});
  tcp::acceptor listener(f.io, any_port());
  auto const id = fork_with_port(f, "has_a_connection_of_its_own", listener);
  client one(f, listener.accept());
  CHECK(one.server() == id);
  std::optional<error_code> done;
  f.boss->async_disconnect(id, [&](error_code ec) { done = ec; });
  f.expect<worker_disconnected>();
  CHECK(one.ask("still here") == "still here");
  CHECK_FALSE(done);
  one.socket.close();
  f.run_until([&] { return done.has_value(); });
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.status == 0);
  CHECK(gone.exited_after_disconnect);
}

// --- Ending -------------------------------------------------------------------------------------

WORKER_BODY(does_nothing)(worker&)->awaitable<void> {
  co_return;
}

TEST_CASE("an idle worker lives until it is asked to stop", "[process][node]") {
  fixture f({});
  auto const idle = f.fork("does_nothing");
  f.expect_from<worker_online>(idle);
  auto const other = f.fork("answers_messages");
  for (int count = 0; count < 10; ++count) f.ask(other, "a while passes");
  CHECK_FALSE(f.has_seen<worker_disconnected>());
  CHECK(f.ids().front() == idle);
  CHECK_FALSE(f.disconnect(idle));
  CHECK(f.expect<worker_exited>().status == 0);
}

TEST_CASE("a worker that exits is disconnected once, and exits once with its status",
          "[process][node]") {
  fixture f({});
  auto const id = f.fork("ends_when_told");
  f.expect<worker_online>();
  f.send_last(id, "42");
  CHECK(f.expect<worker_forked>().id == id);
  CHECK(std::get<worker_disconnected>(f.next_event()).id == id);
  auto const gone = std::get<worker_exited>(f.next_event());
  CHECK(gone.id == id);
  CHECK(gone.status == 42);
  CHECK(gone.signal == 0);
  CHECK_FALSE(gone.exited_after_disconnect);
  auto const next = f.fork("ends_when_told");
  CHECK(std::get<worker_forked>(f.next_event()).id == next);
}

TEST_CASE("a worker that is killed is disconnected, exits by the signal, and is gone",
          "[process][node]") {
  fixture f({});
  auto const id = f.fork("echo");
  f.listening();
  f.boss->kill(id);
  CHECK(f.expect<worker_disconnected>().id == id);
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.signal != 0);
  CHECK(gone.status == 128 + gone.signal);
  CHECK_FALSE(gone.exited_after_disconnect);
  CHECK_FALSE(gone.error);
  CHECK(f.boss->workers().empty());
}

TEST_CASE("while a worker lives one can ask what it is doing", "[process][node]") {
  fixture f({});
  auto const id = f.fork("echo");
  auto const now = [&] { return f.boss->workers().at(0); };
  CHECK(now().id == id);
  CHECK(now().state == worker_state::starting);
  f.expect<worker_online>();
  CHECK(now().state == worker_state::online);
  auto const port = f.listening();
  CHECK(now().endpoints == std::vector<endpoint>{port});
  client one(f, port);
  one.server();
  bool gone = false;
  f.boss->async_disconnect(id, [&](error_code) { gone = true; });
  CHECK(now().state == worker_state::draining);
  f.expect<worker_disconnected>();
  CHECK(now().process != 0);
  CHECK(one.ask("still here") == "still here");
  one.socket.close();
  f.run_until([&] { return gone; });
  CHECK(f.boss->workers().empty());
}

}  // namespace prong::test
