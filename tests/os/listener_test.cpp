// The seam's listener: accepting connections that can go to another process.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/request.hpp"

namespace prong::test {
namespace {

bool answers(asio::io_context& io, tcp::socket& client, tcp::socket& server) {
  asio::write(client, asio::buffer("x", 1));
  return read_byte(io, server) == 'x';
}

}  // namespace

TEST_CASE("a listener on port 0 has a port, and takes connections on it", "[os]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  REQUIRE(listener.local_endpoint().port != 0);
  REQUIRE(listener.local_endpoint().address.is_loopback());
  tcp::socket client(io);
  client.connect(listener.local_endpoint().tcp());
  auto server = adopt(io, accept(io, listener));
  CHECK(server.remote_endpoint() == client.local_endpoint());
  CHECK(answers(io, client, server));
}

TEST_CASE("an accepted socket knows its client's address, as long as there is one", "[os]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  tcp::socket client(io);
  client.connect(listener.local_endpoint().tcp());
  auto const server = accept(io, listener);
  tcp::endpoint from;
  auto const size = detail::remote_address(server.get(), from.data(), from.capacity());
  CHECK(size == from.size());
  CHECK(from == client.local_endpoint());
  auto const unconnected = datagram_socket();
  CHECK(detail::remote_address(unconnected.socket.get(), from.data(), from.capacity()) == 0);
}

TEST_CASE("a connection comes with its client's address, where that is asked for", "[os]") {
  asio::io_context io;
  auto const* const address = GENERATE("127.0.0.1", "::1", "::");
  tcp::endpoint const where(asio::ip::make_address(address), 0);
  if (failure_to_listen(io, request(where))) return;  // no IPv6 here
  auto listener = listen(io, request(where));
  tcp::endpoint to = listener.local_endpoint().tcp();
  bool const any = to.address().is_unspecified();
  if (any) to.address(asio::ip::address_v4::loopback());
  tcp::socket client(io);
  client.connect(to);
  REQUIRE_FALSE(run_operation(io, [&](completion then) { listener.async_wait(std::move(then)); }));
  error_code ec;
  tcp::endpoint from;
  REQUIRE(listener.accept(ec, &from));
  auto const expected = client.local_endpoint();
  CHECK(from.port() == expected.port());
  CHECK(from.address().to_string() == (any ? "::ffff:127.0.0.1" : address));
  CHECK_FALSE(listener.accept(ec, &from));
}

TEST_CASE("accept never waits", "[os]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  error_code ec;
  CHECK_FALSE(listener.accept(ec));
  CHECK(ec == asio::error::would_block);
}

TEST_CASE("waiting completes again for connections that were not accepted", "[os]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  tcp::socket first(io);
  tcp::socket second(io);
  first.connect(listener.local_endpoint().tcp());
  second.connect(listener.local_endpoint().tcp());
  for (int i = 0; i < 2; ++i) {
    auto const wait = [&](completion then) { listener.async_wait(std::move(then)); };
    REQUIRE_FALSE(run_operation(io, wait));
    error_code ec;
    REQUIRE(listener.accept(ec));
  }
}

TEST_CASE("a port that is taken, and an address that is not ours, are reported", "[os]") {
  asio::io_context io;
  auto const taken = listen(io, request(any_port()));
  CHECK(failure_to_listen(io, request(taken.local_endpoint())) == asio::error::address_in_use);
  // From the block that is reserved for documentation.
  tcp::endpoint const elsewhere(asio::ip::make_address("192.0.2.1"), 0);
  CHECK(failure_to_listen(io, request(elsewhere)) == boost::system::errc::address_not_available);
}

TEST_CASE("a port can be listened on again right after its listener is gone", "[os]") {
  asio::io_context io;
  std::optional<os::listener> listener = listen(io, request(any_port()));
  auto const endpoint = listener->local_endpoint().tcp();
  tcp::socket client(io);
  client.connect(endpoint);
  adopt(io, accept(io, *listener)).close();  // the side that closes first keeps the port a while
  listener.reset();
  CHECK_FALSE(failure_to_listen(io, request(endpoint)));
}

TEST_CASE("a listener on IPv6 takes IPv4 connections as well, unless told not to", "[os]") {
  asio::io_context io;
  tcp::endpoint const any(tcp::v6(), 0);
  if (auto const ec = failure_to_listen(io, request(any))) {
    WARN("no IPv6 here: " << ec.message());
    return;
  }
  bool const only = GENERATE(false, true);
  auto listener = listen(io, request(any, 100, only));
  auto const port = listener.local_endpoint().port;
  tcp::socket over_v4(io);
  error_code ec;
  over_v4.connect({asio::ip::address_v4::loopback(), port}, ec);
  CHECK(ec == (only ? error_code(asio::error::connection_refused) : error_code()));
  tcp::socket over_v6(io);
  over_v6.connect({asio::ip::address_v6::loopback(), port});
  CHECK(accept(io, listener));
}

TEST_CASE("cancelling a listener completes its wait, and the next wait works", "[os][C1]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  auto const cancelled = run_operation(io, [&](completion then) {
    listener.async_wait(std::move(then));
    listener.cancel();
  });
  CHECK(cancelled == asio::error::operation_aborted);
  tcp::socket client(io);
  client.connect(listener.local_endpoint().tcp());
  CHECK(accept(io, listener));
}

TEST_CASE("after it was cancelled a listener gives what it has taken, and leaves the rest",
          "[os][C12]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  error_code ec;
  os::listener another(io.get_executor(), listener.duplicate(ec), ec);
  REQUIRE_FALSE(ec);
  tcp::socket early(io);
  early.connect(listener.local_endpoint().tcp());
  REQUIRE_FALSE(run_operation(io, [&](completion then) { listener.async_wait(std::move(then)); }));
  listener.cancel();
  bool const had_taken_it = static_cast<bool>(listener.accept(ec));
  tcp::socket late(io);
  late.connect(listener.local_endpoint().tcp());
  CHECK_FALSE(listener.accept(ec));
  CHECK(ec == asio::error::would_block);
  for (int left = had_taken_it ? 1 : 2; left > 0; --left) CHECK(accept(io, another));
  CHECK_FALSE(another.accept(ec));
}

TEST_CASE("destroying a listener completes its wait with operation_aborted", "[os][C1][C2]") {
  asio::io_context io;
  std::optional<os::listener> listener = listen(io, request(any_port()));
  auto const ended = run_operation(io, [&](completion then) {
    listener->async_wait(std::move(then));
    listener.reset();
  });
  CHECK(ended == asio::error::operation_aborted);
}

TEST_CASE("a connection that its client reset does not keep others from being accepted",
          "[os][C9]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  tcp::socket impatient(io);
  impatient.connect(listener.local_endpoint().tcp());
  impatient.set_option(asio::socket_base::linger(true, 0));
  impatient.close();
  tcp::socket patient(io);
  patient.connect(listener.local_endpoint().tcp());
  for (bool found = false; !found;) {
    auto const server = adopt(io, accept(io, listener));
    error_code ec;
    found = server.remote_endpoint(ec) == patient.local_endpoint();
  }
}

TEST_CASE("when no handle is free, accept says so, and works again later", "[os][C9]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  tcp::socket client(io);
  client.connect(listener.local_endpoint().tcp());
  auto const wait = [&](completion then) { listener.async_wait(std::move(then)); };
  REQUIRE_FALSE(run_operation(io, wait));
  {
    no_free_handles const limit;
    if (!limit) {
      WARN("not shown here: this system has no limit of handles");
      return;
    }
    error_code ec;
    CHECK_FALSE(listener.accept(ec));
    CHECK(ec == boost::system::errc::too_many_files_open);
  }
  auto server = adopt(io, accept(io, listener));
  CHECK(answers(io, client, server));
}

TEST_CASE("a duplicate listens on after the first listener is gone", "[os]") {
  asio::io_context io;
  std::optional<os::listener> first = listen(io, request(any_port()));
  auto const endpoint = first->local_endpoint().tcp();
  error_code ec;
  auto copy = first->duplicate(ec);
  REQUIRE_FALSE(ec);
  os::listener second(io.get_executor(), std::move(copy), ec);
  REQUIRE_FALSE(ec);
  CHECK(second.local_endpoint() == prong::endpoint(endpoint));
  first.reset();
  tcp::socket client(io);
  client.connect(endpoint);
  CHECK(accept(io, second));
}

TEST_CASE("what does not listen cannot be adopted", "[os]") {
  asio::io_context io;
  connection pair(io);
  error_code ec;
  os::listener const connected(io.get_executor(), std::move(pair.server), ec);
  CHECK(ec);
  os::listener const nothing(io.get_executor(), os::socket(), ec);
  CHECK(ec);
}

WORKER_PROGRAM(accepts_on_shared_listener) {
  worker_side self;
  auto shared = receive(self.io, self.link);
  os::listener listener(self.io.get_executor(), std::move(shared.attached), self.failure);
  if (self.failure) return 1;
  auto const client = accept(self.io, listener);
  if (send(self.io, self.link, frame(1, {}, wire::carries_socket), {client.get()})) return 1;
  return 0;
}

TEST_CASE("a worker accepts on a listener that is shared with it", "[os]") {
  asio::io_context io;
  auto listener = listen(io, request(any_port()));
  auto worker = start(io, "accepts_on_shared_listener");
  error_code ec;
  auto const copy = listener.duplicate(ec);
  REQUIRE_FALSE(send(io, worker->link, frame(1, {}, wire::carries_socket), {copy.get()}));
  tcp::socket client(io);
  client.connect(listener.local_endpoint().tcp());
  auto server = adopt(io, std::move(receive(io, worker->link).attached));
  CHECK(answers(io, client, server));
  CHECK(wait_for_exit(io, worker->child).code == 0);
  // The worker's listener is gone; this one goes on.
  tcp::socket another(io);
  another.connect(listener.local_endpoint().tcp());
  CHECK(accept(io, listener));
}

TEST_CASE("a listener that waits can be destroyed, and takes nothing from those who share it",
          "[os][C2][C12]") {
  asio::io_context io;
  std::optional<os::listener> listener = listen(io, request(any_port()));
  auto const port = listener->local_endpoint().tcp();
  auto worker = start(io, "accepts_on_shared_listener");
  error_code ec;
  auto copy = listener->duplicate(ec);
  std::optional<error_code> ended;
  listener->async_wait(completion([&](error_code why) { ended = why; }));
  listener.reset();
  io.run();  // does not wait for a connection
  CHECK(ended == asio::error::operation_aborted);
  REQUIRE_FALSE(send(io, worker->link, frame(1, {}, wire::carries_socket), {copy.get()}));
  tcp::socket client(io);
  client.connect(port);
  auto server = adopt(io, std::move(receive(io, worker->link).attached));
  CHECK(answers(io, client, server));
}

}  // namespace prong::test
