// UDP sockets that workers share.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/request.hpp"

#include "common/os/datagrams.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <vector>

namespace prong::test {
namespace {

using asio::ip::udp;

listen_options options_in(std::istream& text) {
  listen_options how;
  for (std::string word; text >> word;) {
    if (word == "exclusive") how.exclusive = true;
    if (word == "reuse_address") how.reuse_address = true;
    if (word == "reuse_port") how.reuse_port = true;
    if (word == "v6_only") how.v6_only = true;
  }
  return how;
}

std::string written(udp::endpoint const& where) {
  return to_string(tcp::endpoint(where.address(), where.port()));
}

// "ping" is answered with the worker's id.
awaitable<void> answer_pings(udp_socket socket, worker_id by) {
  char data[100];
  for (;;) {
    udp::endpoint from;
    auto const size = co_await socket.async_receive_from(asio::buffer(data), from, use_awaitable);
    if (std::string_view(data, size) != "ping") continue;
    std::string const answer = std::to_string(static_cast<unsigned>(by));
    co_await socket.async_send_to(asio::buffer(answer), from, use_awaitable);
  }
}

std::string ping(fixture& f, udp::endpoint const& to) {
  udp::socket client(f.io, udp::endpoint(to.protocol(), 0));
  client.send_to(asio::buffer("ping", 4), to);
  char data[100];
  std::size_t received = 0;
  f.complete([&](auto done) {
    client.async_receive(asio::buffer(data), [&received, done](error_code ec, std::size_t size) {
      received = size;
      done(ec);
    });
  });
  return {data, received};
}

std::string name_of(worker_id id) {
  return std::to_string(static_cast<unsigned>(id));
}

udp::endpoint bound(fixture& f) {
  auto const heard = f.expect<worker_listening>().endpoint;
  CHECK(heard.transport == transport::udp);
  return heard.udp();
}

}  // namespace

// "bind ADDRESS PORT [OPTION...]", "bind again" and "close" are told by messages. It answers with
// the address.
WORKER_BODY(binds_where_told)(worker& self)->awaitable<void> {
  std::vector<udp_socket> all;
  for (;;) {
    auto const what = co_await self.async_receive(use_awaitable);
    if (what.topic == "close") {
      all.pop_back();
      co_await tell(self, "closed");
      continue;
    }
    if (what.topic != "bind again") {
      std::istringstream rest(what.body);
      std::string address;
      std::uint16_t port = 0;
      rest >> address >> port;
      udp::endpoint const where(asio::ip::make_address(address), port);
      all.emplace_back(self, where, options_in(rest));
    }
    error_code ec;
    co_await all.back().async_bind(asio::redirect_error(use_awaitable, ec));
    std::string answer = all.back().failure();
    if (!ec) answer = written(all.back().local_endpoint());
    co_await tell(self, answer);
    if (what.topic != "serve") continue;
    asio::co_spawn(self.get_executor(), answer_pings(std::move(all.back()), self.id()), detached);
    all.pop_back();
  }
}

TEST_CASE("workers share a UDP port, and each datagram goes to one of them", "[process][udp]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  fixture f(settings);
  auto const first = f.fork("binds_where_told");
  auto const second = f.fork("binds_where_told");
  auto const where = f.ask(first, "serve", "127.0.0.1 0");
  CHECK(f.ask(second, "serve", "127.0.0.1 0") == where);
  auto const port = bound(f);
  CHECK(bound(f) == port);
  for (int count = 0; count < 20; ++count) {
    auto const by = ping(f, port);
    CHECK((by == name_of(first) || by == name_of(second)));
  }
  CHECK_FALSE(f.disconnect(first));
  CHECK(ping(f, port) == name_of(second));
}

TEST_CASE("a UDP port that one worker got as 0 is shared by its number", "[process][udp]") {
  fixture f({});
  auto const where = f.ask(f.fork("binds_where_told"), "serve", "127.0.0.1 0");
  auto const port = std::to_string(bound(f).port());
  CHECK(f.ask(f.fork("binds_where_told"), "serve", "127.0.0.1 " + port) == where);
}

TEST_CASE("an exclusive UDP port is one worker's", "[process][udp]") {
  fixture f({});
  auto const first = f.fork("binds_where_told");
  auto const where = f.ask(first, "serve", "127.0.0.1 0 exclusive");
  auto const port = bound(f);
  CHECK(ping(f, port) == name_of(first));
  auto const second = f.fork("binds_where_told");
  auto const asked = "127.0.0.1 " + std::to_string(port.port());
  CHECK(f.ask(second, "bind", asked + " exclusive").starts_with("udp " + where + ": "));
  CHECK(f.ask(second, "bind", asked).starts_with("udp " + where + ": "));
  CHECK(f.expect<worker_listen_failed>().endpoint == port);
}

TEST_CASE("a worker binds and closes a UDP port again and again", "[process][udp]") {
  fixture f({});
  auto const id = f.fork("binds_where_told");
  for (int count = 0; count < 5; ++count) {
    CHECK(f.ask(id, "bind", "127.0.0.1 0").starts_with("127.0.0.1:"));
    CHECK(f.ask(id, "close") == "closed");
  }
  f.ask(id, "serve", "127.0.0.1 0");
  udp::endpoint last;
  for (int count = 0; count < 6; ++count) last = bound(f);
  CHECK(ping(f, last) == name_of(id));
}

TEST_CASE("when a UDP port is free again, the same socket gets it", "[process][udp]") {
  fixture f({});
  auto const id = f.fork("binds_where_told");
  std::string port;
  {
    udp::socket const taken(f.io, {asio::ip::address_v4::loopback(), 0});
    port = std::to_string(taken.local_endpoint().port());
    CHECK(f.ask(id, "bind", "127.0.0.1 " + port).starts_with("udp 127.0.0.1:" + port + ": "));
  }
  CHECK(f.ask(id, "bind again") == "127.0.0.1:" + port);
}

// The first port is asked for and not waited for.
WORKER_BODY(closes_before_it_is_bound)(worker& self)->awaitable<void> {
  auto const number = static_cast<unsigned short>(std::atoi(std::getenv("PRONG_TEST_PORT")));
  udp_socket first(self, {asio::ip::address_v4::loopback(), number});
  error_code ended;
  first.async_bind([&](error_code ec) { ended = ec; });
  first.close();
  while (!ended) co_await asio::post(use_awaitable);
  udp_socket second(self, {asio::ip::address_v4::loopback(), 0});
  co_await second.async_bind(use_awaitable);
  std::string answer = "another error";
  if (ended == asio::error::operation_aborted) answer = "aborted";
  co_await tell(self, answer);
  co_await answer_messages(self);
}

TEST_CASE("a UDP socket that is closed before the primary answers is bound no more",
          "[process][udp]") {
  fixture f({});
  udp::socket other(f.io, {asio::ip::address_v4::loopback(), 0});
  auto const where = other.local_endpoint();
  bool const taken = GENERATE(false, true);
  if (!taken) other.close();
  fork_options own;
  own.environment = {{worker_program_variable, "closes_before_it_is_bound"},
                     {"PRONG_TEST_PORT", std::to_string(where.port())}};
  auto const id = f.boss->fork(own);
  CHECK(f.expect_message(id) == "aborted");
  CHECK(f.boss->workers().front().endpoints.size() == 1);
  if (!taken) CHECK_NOTHROW(udp::socket(f.io, where));
  CHECK_FALSE(f.disconnect(id));
  CHECK(f.expect<worker_exited>().status == 0);
}

TEST_CASE("a worker without a share in a UDP port leaves it as it is", "[process][udp]") {
  fixture f({});
  auto const first = f.fork("binds_where_told");
  f.ask(first, "serve", "127.0.0.1 0");
  auto const second = f.fork("binds_where_told");
  f.expect_from<worker_online>(second);
  CHECK_FALSE(f.disconnect(second));
  CHECK(ping(f, bound(f)) == name_of(first));
}

TEST_CASE("workers with reuse_port have a UDP port each by themselves, and it is one port",
          "[process][udp]") {
  fixture f({});
  auto const first = f.fork("binds_where_told");
  auto const where = f.ask(first, "bind", "127.0.0.1 0 reuse_port");
  if (!divides_among_sockets()) {
    CHECK(f.expect<worker_listen_failed>().error == errc::not_supported);
    return;
  }
  auto const asked = "127.0.0.1 " + std::to_string(bound(f).port());
  CHECK(f.ask(f.fork("binds_where_told"), "bind", asked + " reuse_port") == where);
  // The primary has nothing that it could share.
  CHECK(f.ask(f.fork("binds_where_told"), "bind", asked).starts_with("udp " + where + ": "));
}

TEST_CASE("a worker has one UDP port twice only with reuse_address", "[process][udp]") {
  fixture f({});
  auto const id = f.fork("binds_where_told");
  auto const where = f.ask(id, "bind", "127.0.0.1 0 reuse_address");
  auto const port = std::to_string(bound(f).port());
  CHECK(f.ask(id, "bind", "127.0.0.1 " + port + " reuse_address") == where);
  auto const other = f.fork("binds_where_told");
  auto const alone = f.ask(other, "bind", "127.0.0.1 0");
  auto const taken = alone.substr(alone.find(':') + 1);
  CHECK(f.ask(other, "bind", "127.0.0.1 " + taken).starts_with("udp " + alone + ": "));
}

TEST_CASE("an IPv6 UDP port with v6_only leaves the IPv4 port to others", "[process][udp]") {
  fixture f({});
  auto const id = f.fork("binds_where_told");
  auto const where = f.ask(id, "bind", "::1 0 v6_only");
  if (!where.starts_with("[::1]:") || where.starts_with("udp ")) {
    WARN("there is no IPv6 here: " + where);
    return;
  }
  auto const port = where.substr(where.rfind(':') + 1);
  CHECK(f.ask(id, "bind", "127.0.0.1 " + port) == "127.0.0.1:" + port);
}

WORKER_BODY(binds_by_number)(worker& self)->awaitable<void> {
  auto const what = co_await self.async_receive(use_awaitable);
  primary_socket const number(static_cast<native_socket>(std::stoull(what.topic)));
  co_await answer_pings(udp_socket(self, number), self.id());
}

TEST_CASE("a UDP socket of the primary is shared by its number", "[process][udp]") {
  fixture f({});
  error_code ec;
  udp::endpoint const any(asio::ip::address_v4::loopback(), 0);
  os::datagrams const opened(f.io.get_executor(), request(any), ec);
  REQUIRE_FALSE(ec);
  auto const mine = opened.duplicate(ec);
  auto const first = f.fork("binds_by_number");
  auto const second = f.fork("binds_by_number");
  for (auto const id : {first, second}) REQUIRE_FALSE(f.send(id, std::to_string(mine.get())));
  auto const port = bound(f);
  CHECK(bound(f) == port);
  CHECK(port == opened.local_endpoint().udp());
  CHECK_FALSE(f.disconnect(first));
  CHECK(ping(f, port) == name_of(second));
}

TEST_CASE("a datagram that is longer than its buffer says so", "[process][udp]") {
  asio::io_context io;
  worker alone(io);
  udp_socket socket(alone, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  char data[4];
  udp::endpoint from;
  std::optional<std::pair<error_code, std::size_t>> received;
  socket.async_receive_from(asio::buffer(data), from, [&](error_code ec, std::size_t size) {
    received = {ec, size};
  });
  udp::socket client(io, udp::v4());
  client.send_to(asio::buffer("too long", 8), socket.local_endpoint());
  while (!received) io.run_one();
  CHECK(received->first == asio::error::message_size);
  CHECK(received->second == 4);
  CHECK(from.port() == client.local_endpoint().port());
}

TEST_CASE("a cancelled receive takes no datagram with it", "[process][udp]") {
  asio::io_context io;
  worker alone(io);
  udp_socket socket(alone, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  char data[10];
  udp::endpoint from;
  std::vector<error_code> ended;
  asio::cancellation_signal signal;
  auto const store = [&](error_code ec, std::size_t) { ended.push_back(ec); };
  socket.async_receive_from(asio::buffer(data), from,
                            asio::bind_cancellation_slot(signal.slot(), store));
  signal.emit(asio::cancellation_type::total);
  while (ended.empty()) io.run_one();
  CHECK(ended.back() == asio::error::operation_aborted);
  udp::socket client(io, udp::v4());
  client.send_to(asio::buffer("later", 5), socket.local_endpoint());
  socket.async_receive_from(asio::buffer(data), from, store);
  io.restart();
  while (ended.size() < 2) io.run_one();
  CHECK_FALSE(ended.back());
  CHECK(std::string_view(data, 5) == "later");
}

TEST_CASE("what waits on a UDP socket ends with it", "[process][udp]") {
  asio::io_context io;
  worker alone(io);
  error_code ended;
  char data[10];
  udp::endpoint from;
  {
    udp_socket socket(alone, udp::endpoint(asio::ip::address_v4::loopback(), 0));
    socket.async_receive_from(asio::buffer(data), from,
                              [&](error_code ec, std::size_t) { ended = ec; });
  }
  io.run();
  CHECK(ended == asio::error::operation_aborted);
}

}  // namespace prong::test
