// What can be listened on beside an address, and what a worker has for itself.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/request.hpp"

#include "common/os/listener.hpp"

#include <boost/asio/redirect_error.hpp>
#include <memory>
#include <sstream>
#include <vector>

namespace prong::test {
namespace {

acceptor make_acceptor(worker& self, std::string const& kind, std::istream& rest) {
  listen_options how;
  how.exclusive = kind == "exclusive";
  how.reuse_port = kind == "reuse_port";
  how.v6_only = kind == "v6_only";
  std::string host = "127.0.0.1";
  if (kind != "any") rest >> host;
  std::uint16_t port = 0;
  rest >> port;
  if (kind == "any") return acceptor(self, port);
  if (kind == "host") return acceptor(self, {host, port});
  return acceptor(self, {asio::ip::make_address(host), port}, how);
}

// A listening socket that Asio knows nothing of.
socket_handle open_listening(worker& self) {
  error_code ec;
  os::listener const opened(self.get_executor(), request(any_port()), ec);
  return ec ? socket_handle() : opened.duplicate(ec);
}

}  // namespace

// Each message says what one more acceptor is to listen on. It tells where that is, or why not.
WORKER_BODY(listens_on)(worker& self)->awaitable<void> {
  std::vector<std::unique_ptr<acceptor>> all;
  for (;;) {
    auto const what = co_await self.async_receive(use_awaitable);
    std::istringstream rest(what.body);
    all.push_back(std::make_unique<acceptor>(make_acceptor(self, what.topic, rest)));
    error_code ec;
    co_await all.back()->async_listen(asio::redirect_error(use_awaitable, ec));
    std::string answer = all.back()->failure();
    if (!ec) answer = to_string(all.back()->local_endpoint());
    co_await tell(self, answer);
    if (!ec)
      asio::co_spawn(self.get_executor(), serve(std::move(*all.back()), self.id()), detached);
  }
}

TEST_CASE("an acceptor without an address takes connections over both versions of IP",
          "[process][kinds]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  auto const id = f.fork("listens_on");
  f.ask(id, "any", "0");
  auto const where = f.listening();
  CHECK(where.address().is_unspecified());
  CHECK(client(f, {asio::ip::address_v4::loopback(), where.port()}).server() == id);
  if (where.address().is_v6())
    CHECK(client(f, {asio::ip::address_v6::loopback(), where.port()}).server() == id);
}

TEST_CASE("workers share all addresses of a port, whether they ask for 0 or for its number",
          "[process][kinds]") {
  fixture f({});
  auto const first = f.fork("listens_on");
  auto const where = f.ask(first, "any", "0");
  auto const port = std::to_string(f.listening().port());
  CHECK(f.ask(f.fork("listens_on"), "any", "0") == where);
  CHECK(f.ask(f.fork("listens_on"), "any", port) == where);
}

TEST_CASE("a host's name is looked up by the worker", "[process][kinds]") {
  fixture f({});
  auto const id = f.fork("listens_on");
  f.ask(id, "host", "localhost 0");
  auto const where = f.listening();
  CHECK(where.address().is_loopback());
  CHECK(client(f, where).server() == id);
}

TEST_CASE("a host's name that cannot be one is an error that names it", "[process][kinds]") {
  fixture f({});
  std::string const name(70, 'x');  // no label is that long, so nobody need be asked
  auto const answer = f.ask(f.fork("listens_on"), "host", name + " 80");
  CHECK(answer.starts_with(name + ":80: "));
}

TEST_CASE("a port in use is an error that names the address", "[process][kinds]") {
  fixture f({});
  tcp::acceptor const taken(f.io, any_port(), false);
  auto const port = std::to_string(taken.local_endpoint().port());
  auto const answer = f.ask(f.fork("listens_on"), "listen", "127.0.0.1 " + port);
  CHECK(answer.starts_with("127.0.0.1:" + port + ": "));
}

TEST_CASE("an exclusive acceptor has its port for itself, and counts as listening",
          "[process][kinds]") {
  fixture f({});
  auto const id = f.fork("listens_on");
  auto const other = f.fork("listens_on");
  f.ask(id, "exclusive", "127.0.0.1 0");
  auto const listening = f.expect<worker_listening>();
  CHECK(listening.id == id);
  CHECK(client(f, listening.endpoint.tcp()).server() == id);
  for (auto const& each : f.boss->workers())
    CHECK(each.endpoints.size() == (each.id == id ? 1 : 0));

  auto const port = std::to_string(listening.endpoint.port);
  CHECK(f.ask(other, "exclusive", "127.0.0.1 " + port).starts_with("127.0.0.1:" + port + ": "));
  auto const failed = f.expect<worker_listen_failed>();
  CHECK(failed.id == other);
  CHECK(failed.endpoint == listening.endpoint);
  CHECK(f.ask(other, "listen", "127.0.0.1 " + port).starts_with("127.0.0.1:" + port + ": "));
}

TEST_CASE("exclusive acceptors on port 0 have a port each", "[process][kinds]") {
  fixture f({});
  auto const first = f.fork("listens_on");
  auto const second = f.fork("listens_on");
  f.ask(first, "exclusive", "127.0.0.1 0");
  f.ask(second, "exclusive", "127.0.0.1 0");
  auto const port = f.listening();
  CHECK(client(f, port).server() == first);
  auto const other = f.listening();
  CHECK(other != port);
  CHECK(client(f, other).server() == second);
}

TEST_CASE("an IPv6 port with v6_only leaves the IPv4 port to others", "[process][kinds]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  auto const id = f.fork("listens_on");
  bool both = false;
  for (int count = 0; count < 5 && !both; ++count) {  // others may have the port by chance
    auto const where = f.ask(id, "v6_only", ":: 0");
    if (!where.starts_with("[::]:") || where.find(' ') != std::string::npos) {
      WARN("there is no IPv6 here: " + where);
      return;
    }
    auto const port = where.substr(where.rfind(':') + 1);
    both = f.ask(f.fork("listens_on"), "listen", "0.0.0.0 " + port) == "0.0.0.0:" + port;
  }
  CHECK(both);
}

TEST_CASE("a graceful stop closes exclusive acceptors, and lets their connections end",
          "[process][kinds]") {
  fixture f({});
  auto const id = f.fork("listens_on");
  f.ask(id, "exclusive", "127.0.0.1 0");
  auto const where = f.listening();
  client one(f, where);
  CHECK(one.server() == id);
  std::optional<error_code> done;
  f.boss->async_disconnect(id, [&](error_code ec) { done = ec; });
  f.expect<worker_disconnected>();
  error_code refused;
  tcp::socket late(f.io);
  late.connect(where, refused);
  CHECK(refused == asio::error::connection_refused);
  CHECK(one.ask("still here") == "still here");
  one.socket.close();
  f.run_until([&] { return done.has_value(); });
  CHECK_FALSE(*done);
}

TEST_CASE("workers with reuse_port have a port each by themselves, and it is one port",
          "[process][kinds]") {
  fixture f({});
  auto const first = f.fork("listens_on");
  auto const second = f.fork("listens_on");
  auto const where = f.ask(first, "reuse_port", "127.0.0.1 0");
  if (!f.boss->workers().front().endpoints.empty()) {
    auto const port = std::to_string(f.listening().port());
    CHECK(f.ask(second, "reuse_port", "127.0.0.1 " + port) == where);
    CHECK(f.listening() == f.boss->workers().front().endpoints.front().tcp());
    // The primary has nothing that it could share.
    CHECK(f.ask(f.fork("listens_on"), "listen", "127.0.0.1 " + port).starts_with(where + ": "));
  } else {
    CHECK(f.expect<worker_listen_failed>().error == errc::not_supported);
  }
}

// Told the number of a socket of the primary.
WORKER_BODY(listens_by_number)(worker& self)->awaitable<void> {
  auto const what = co_await self.async_receive(use_awaitable);
  primary_socket const number(static_cast<native_socket>(std::stoull(what.topic)));
  acceptor made(self, number);
  error_code ec;
  co_await made.async_listen(asio::redirect_error(use_awaitable, ec));
  co_await tell(self, made.failure());
  if (!ec) co_await serve(std::move(made), self.id());
}

TEST_CASE("a listening socket of the primary is shared by its number", "[process][kinds]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  error_code ec;
  os::listener const opened(f.io.get_executor(), request(any_port()), ec);
  REQUIRE_FALSE(ec);
  auto const where = opened.local_endpoint().tcp();
  auto const mine = opened.duplicate(ec);
  auto const first = f.fork("listens_by_number");
  auto const second = f.fork("listens_by_number");
  CHECK(f.ask(first, std::to_string(mine.get())).empty());
  CHECK(f.ask(second, std::to_string(mine.get())).empty());
  CHECK(f.listening(2) == where);
  auto const by = client(f, where).server();
  CHECK((by == first || by == second));
  CHECK_FALSE(f.disconnect(first));
  CHECK(client(f, where).server() == second);
}

TEST_CASE("a number that is no socket of the primary is an error that says so",
          "[process][kinds]") {
  fixture f({});
  auto const id = f.fork("listens_by_number");
  CHECK(f.ask(id, "123456").starts_with("the primary's socket 123456: "));
  CHECK(f.expect<worker_listen_failed>().from == primary_socket(native_socket{123456}));
}

// Listens on a socket that it has already.
WORKER_BODY(listens_on_its_own)(worker& self)->awaitable<void> {
  acceptor own(self);
  auto handle = open_listening(self);
  own.assign(tcp::v4(), handle.release());
  co_await serve(std::move(own), self.id());
}

TEST_CASE("a socket that the worker has is listened on without asking the primary",
          "[process][kinds]") {
  fixture f({});
  auto const id = f.fork("listens_on_its_own");
  auto const other = f.fork("listens_on_its_own");
  auto const first = f.expect<worker_listening>();
  auto const second = f.expect<worker_listening>();
  CHECK(first.endpoint != second.endpoint);
  CHECK(client(f, first.endpoint.tcp()).server() == first.id);
  CHECK(client(f, second.endpoint.tcp()).server() == second.id);
  CHECK_FALSE(f.disconnect(id));
  CHECK_FALSE(f.disconnect(other));
}

}  // namespace prong::test
