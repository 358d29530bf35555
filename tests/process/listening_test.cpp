// Asking for ports, and using the acceptor as Asio's.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <cstdlib>
#include <vector>

namespace prong::test {
namespace {

std::string in_words(error_code ec) {
  if (!ec) return "no error";
  if (ec == asio::error::address_in_use) return "address in use";
  if (ec == boost::system::errc::address_not_available) return "address not available";
  return ec.message();
}

tcp::endpoint read_endpoint(std::string const& text) {
  auto const blank = text.find(' ');
  return {asio::ip::make_address(text.substr(0, blank)),
          static_cast<unsigned short>(std::stoi(text.substr(blank + 1)))};
}

std::string written(tcp::endpoint const& where) {
  return where.address().to_string() + ' ' + std::to_string(where.port());
}

options one_of_both_schedulings() {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  return settings;
}

// Somebody else's.
struct taken_port {
  explicit taken_port(fixture& f) : socket(f.io, any_port(), false) {}
  std::string text() const { return written(socket.local_endpoint()); }
  tcp::acceptor socket;
};

}  // namespace

// Its acceptors do what messages say.
WORKER_BODY(listens_where_told)(worker& self)->awaitable<void> {
  std::vector<acceptor> all;
  for (;;) {
    auto const what = co_await self.async_receive(use_awaitable);
    error_code ec;
    auto const completed = [&ec] { return asio::redirect_error(use_awaitable, ec); };
    if (what.topic == "close") {
      all.pop_back();
    } else if (what.topic == "accept") {
      auto connection = co_await all.back().async_accept(completed());
      if (!ec) co_await say(connection, std::to_string(static_cast<unsigned>(self.id())));
    } else {
      if (what.topic == "listen") all.emplace_back(self, read_endpoint(what.body));
      co_await all.back().async_listen(completed());
    }
    bool const listens = what.topic != "close" && !ec;
    // Not in the co_await expression: GCC 12 makes the temporaries of both branches there.
    std::string answer = in_words(ec);
    if (listens) answer = written(all.back().local_endpoint());
    co_await tell(self, answer);
  }
}

TEST_CASE("a port in use is an error of async_listen, and an event", "[process]") {
  fixture f(one_of_both_schedulings());
  taken_port taken(f);
  auto const id = f.fork("listens_where_told");
  CHECK(f.ask(id, "listen", taken.text()) == "address in use");
  auto const failed = f.expect<worker_listen_failed>();
  CHECK(failed.id == id);
  CHECK(failed.endpoint == taken.socket.local_endpoint());
  CHECK(failed.error == asio::error::address_in_use);
}

TEST_CASE("a port in use is an error of async_accept", "[process]") {
  fixture f(one_of_both_schedulings());
  taken_port taken(f);
  auto const id = f.fork("listens_where_told");
  CHECK(f.ask(id, "listen", taken.text()) == "address in use");
  CHECK(f.ask(id, "accept") == "address in use");
}

TEST_CASE("when a port is free again, the same acceptor gets it", "[process]") {
  fixture f(one_of_both_schedulings());
  std::string where;
  auto const id = f.fork("listens_where_told");
  {
    taken_port taken(f);
    where = taken.text();
    REQUIRE(f.ask(id, "listen", where) == "address in use");
  }
  CHECK(f.ask(id, "listen again") == where);
  REQUIRE_FALSE(f.send(id, "accept"));
  CHECK(client(f, f.listening()).server() == id);
}

TEST_CASE("an address that is not this machine's is an error", "[process]") {
  fixture f(one_of_both_schedulings());
  auto const id = f.fork("listens_where_told");
  CHECK(f.ask(id, "listen", "192.0.2.1 0") == "address not available");
  CHECK(f.ask(id, "accept") == "address not available");
}

TEST_CASE("a worker listens once on one port", "[process]") {
  fixture f(one_of_both_schedulings());
  auto const id = f.fork("listens_where_told");
  auto const port = f.ask(id, "listen", written(any_port()));
  CHECK(f.ask(id, "listen", port) == "address in use");
  // The first acceptor does not suffer from it.
  f.ask(id, "close");
  REQUIRE_FALSE(f.send(id, "accept"));
  CHECK(client(f, f.listening()).server() == id);
}

TEST_CASE("an acceptor that was closed and opened again meets its siblings on their port",
          "[process]") {
  fixture f(one_of_both_schedulings());
  auto const first = f.fork("listens_where_told");
  auto const second = f.fork("listens_where_told");
  auto const port = f.ask(first, "listen", written(any_port()));
  REQUIRE(f.ask(second, "listen", written(any_port())) == port);
  CHECK(f.ask(first, "close") == "no error");
  CHECK(f.ask(first, "listen", written(any_port())) == port);
  REQUIRE_FALSE(f.send(first, "accept"));
  client one(f, read_endpoint(port));
  CHECK(one.server() == first);
}

TEST_CASE("a worker that could not listen twice shares the port with others all the same",
          "[process]") {
  fixture f(one_of_both_schedulings());
  auto const first = f.fork("listens_where_told");
  auto const port = f.ask(first, "listen", written(any_port()));
  CHECK(f.ask(first, "listen", port) == "address in use");
  f.ask(first, "close");
  f.ask(first, "close");
  auto const second = f.fork("listens_where_told");
  CHECK(f.ask(second, "listen", port) == port);
  CHECK(f.ask(first, "listen", port) == port);
  CHECK_FALSE(f.disconnect(first));
  REQUIRE_FALSE(f.send(second, "accept"));
  CHECK(client(f, read_endpoint(port)).server() == second);
}

TEST_CASE("the last worker that closes an acceptor closes its port", "[process]") {
  fixture f(pool_of(1), "listens_where_told");
  auto const id = f.expect<worker_online>().id;
  auto const port = read_endpoint(f.ask(id, "listen", written(any_port())));
  f.ask(id, "close");
  f.ask(id, "listen", "192.0.2.1 0");  // the primary has heard of both by the answer
  CHECK_THROWS_AS(client(f, port), boost::system::system_error);
}

WORKER_BODY(listens_twice_at_once)(worker& self)->awaitable<void> {
  acceptor listener(self);
  listener.open(tcp::v4());
  listener.bind(any_port());
  listener.listen();
  listener.listen();
  int done = 0;
  for (int count = 0; count < 2; ++count)
    listener.async_listen([&](error_code ec) { done += ec ? 0 : 1; });
  while (done < 2) co_await asio::post(use_awaitable);
  co_await answer_messages(self);
}

TEST_CASE("an acceptor that asks twice at once listens once", "[process]") {
  fixture f(one_of_both_schedulings());
  auto const id = f.fork("listens_twice_at_once");
  f.listening();
  CHECK(f.ask(id, "hello") == "hello");
  CHECK_FALSE(f.has_seen<worker_listening>());
  CHECK(f.boss->workers().front().endpoints.size() == 1);
}

WORKER_BODY(listens_when_stopped)(worker& self)->awaitable<void> {
  co_await self.async_wait_stop(use_awaitable);
  acceptor late(self, any_port());
  error_code ec;
  co_await late.async_listen(asio::redirect_error(use_awaitable, ec));
  std::_Exit(ec == asio::error::operation_aborted ? 42 : 1);
}

TEST_CASE("a worker that drains and asks for a port hears that it is too late", "[process]") {
  fixture f({});
  CHECK_FALSE(f.disconnect(f.fork("listens_when_stopped")));
  CHECK(f.expect<worker_exited>().status == 42);
}

// --- As Asio's ----------------------------------------------------------------------------------

namespace {

// Code that was written for Asio's acceptor.
template <class Acceptor>
void open_step_by_step(Acceptor& listener, tcp::endpoint const& where) {
  listener.open(where.protocol());
  listener.set_option(asio::socket_base::reuse_address(true));
  listener.bind(where);
  listener.listen(asio::socket_base::max_listen_connections);
}

awaitable<void> say_port(tcp::socket connection, tcp::endpoint from) {
  co_await say(connection, std::to_string(from.port()));
}

}  // namespace

WORKER_BODY(opens_step_by_step)(worker& self)->awaitable<void> {
  acceptor listener(self);
  open_step_by_step(listener, any_port());
  co_await serve(std::move(listener), self.id());
}

TEST_CASE("code for Asio's acceptor opens and serves with prong's", "[process]") {
  fixture f(pool_of(2), "opens_step_by_step");
  auto const port = f.listening(2);
  CHECK(client(f, port).server() <= worker_id{2});

  tcp::acceptor plain(f.io);
  open_step_by_step(plain, any_port());
  auto const plain_port = plain.local_endpoint();
  asio::co_spawn(f.io, serve(std::move(plain), worker_id{77}), detached);
  CHECK(client(f, plain_port).server() == worker_id{77});
}

WORKER_BODY(accepts_in_every_way)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  tcp::endpoint from;
  for (;;) {
    co_await say_port(co_await listener.async_accept(from, use_awaitable), from);

    tcp::socket into(self.get_executor());
    co_await listener.async_accept(into, use_awaitable);
    from = into.remote_endpoint();
    co_await say_port(std::move(into), from);

    tcp::socket other(self.get_executor());
    co_await listener.async_accept(other, from, use_awaitable);
    co_await say_port(std::move(other), from);

    auto const strand = asio::make_strand(self.get_executor());
    auto on_strand = co_await listener.async_accept(strand, use_awaitable);
    static_assert(
        std::is_same_v<decltype(on_strand)::executor_type, asio::strand<asio::any_io_executor>>);
    if (on_strand.get_executor() != strand) co_return;
    from = on_strand.remote_endpoint();
    co_await say_port(tcp::socket(std::move(on_strand)), from);

    auto last = co_await listener.async_accept(strand, from, use_awaitable);
    co_await say_port(tcp::socket(std::move(last)), from);
  }
}

TEST_CASE("every form of async_accept gives the connection and the client's address", "[process]") {
  options settings = pool_of(1);
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings, "accepts_in_every_way");
  auto const port = f.listening();
  for (int count = 0; count < 10; ++count) {
    client one(f, port);
    CHECK(one.read_line() == std::to_string(one.socket.local_endpoint().port()));
  }
}

}  // namespace prong::test
