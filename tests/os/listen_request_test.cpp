// What a listener opens: any address, ports that the system divides, sockets that are there
// already. SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"
#include "os/seam_fixture.hpp"
#include "support/request.hpp"

#include <prong/error.hpp>

namespace prong::test {
namespace {

using asio::ip::udp;

os::listen_request any_address() {
  auto what = request(any_port());
  what.any_address = true;
  return what;
}

template <class Socket>
os::listen_request request_from(Socket& given) {
  auto what = request(endpoint());
  what.from.emplace(given.native_handle());
  return what;
}

// Bound, and not listening.
tcp::acceptor bind(asio::io_context& io) {
  tcp::acceptor result(io, tcp::v4());
  result.bind(any_port());
  return result;
}

}  // namespace

TEST_CASE("any address is both versions of IP", "[os]") {
  asio::io_context io;
  auto listener = listen(io, any_address());
  auto const bound = listener.local_endpoint();
  CHECK(bound.address.is_unspecified());
  tcp::socket over_v4(io);
  over_v4.connect({asio::ip::address_v4::loopback(), bound.port});
  CHECK(accept(io, listener));
  if (bound.address.is_v4()) {
    WARN("no IPv6 here");
    return;
  }
  tcp::socket over_v6(io);
  over_v6.connect({asio::ip::address_v6::loopback(), bound.port});
  CHECK(accept(io, listener));
}

TEST_CASE("any address is not half of it when the other half is taken", "[os]") {
  asio::io_context io;
  auto const only_v6 = request(tcp::endpoint(tcp::v6(), 0), 100, true);
  if (auto const ec = failure_to_listen(io, only_v6)) {
    WARN("no IPv6 here: " << ec.message());
    return;
  }
  auto const other = listen(io, only_v6);
  auto what = any_address();
  what.where.port = other.local_endpoint().port;
  auto const ec = failure_to_listen(io, what);
  // The latter is what Windows may say of an address that another socket has for itself alone.
  CHECK((ec == asio::error::address_in_use || ec == asio::error::access_denied));
}

WORKER_PROGRAM(listens_where_there_is_no_ipv6) {
  worker_side self;
  if (!refuse_ipv6()) return 2;
  auto const listener = listen(self.io, any_address());
  bool const is_v4 = listener.local_endpoint().address == asio::ip::address_v4::any();
  auto only_v6 = any_address();
  only_v6.how.v6_only = true;
  return is_v4 && failure_to_listen(self.io, only_v6) ? 0 : 1;
}

TEST_CASE("any address is 0.0.0.0 where there is no IPv6", "[os]") {
  asio::io_context io;
  auto const code = wait_for_exit(io, start(io, "listens_where_there_is_no_ipv6")->child).code;
  if (code == 2) {
    WARN("not shown here: this system always has what it has");
    return;
  }
  CHECK(code == 0);
}

TEST_CASE("the system divides connections among listeners that ask for it, or cannot", "[os]") {
  asio::io_context io;
  auto what = request(any_port());
  what.how.reuse_port = true;
  if (!divides_among_sockets()) {
    CHECK(failure_to_listen(io, what) == errc::not_supported);
    return;
  }
  auto first = listen(io, what);
  what.where = first.local_endpoint();
  auto second = listen(io, what);
  CHECK(failure_to_listen(io, request(what.where)) == asio::error::address_in_use);
  error_code ec;
  for (bool by_first = false, by_second = false; !by_first || !by_second;) {
    tcp::socket client(io);
    client.connect(what.where.tcp());
    by_first = first.accept(ec) || by_first;
    by_second = second.accept(ec) || by_second;
  }
}

TEST_CASE("a socket that is bound already is listened on, and stays its owner's", "[os][C15]") {
  asio::io_context io;
  auto given = bind(io);
  bool const listens_already = GENERATE(false, true);
  if (listens_already) given.listen();
  std::optional<os::listener> listener = listen(io, request_from(given));
  CHECK(listener->local_endpoint() == endpoint(given.local_endpoint()));
  tcp::socket client(io);
  client.connect(given.local_endpoint());
  CHECK(accept(io, *listener));
  listener.reset();
  tcp::socket another(io);
  another.connect(given.local_endpoint());
  CHECK(given.accept().is_open());
}

TEST_CASE("a UDP socket that is bound already is used, and stays its owner's", "[os][C15]") {
  asio::io_context io;
  udp::socket given(io, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  error_code ec;
  {
    os::datagrams shared(io.get_executor(), request_from(given), ec);
    REQUIRE_FALSE(ec);
    CHECK(shared.local_endpoint() == endpoint(given.local_endpoint()));
    auto const text = as_bytes("x");
    shared.send(text, given.local_endpoint(), ec);
    REQUIRE_FALSE(ec);
    REQUIRE_FALSE(run_operation(io, [&](completion then) { shared.async_wait(std::move(then)); }));
    bytes room(10);
    udp::endpoint from;
    CHECK(shared.receive(room, from, ec) == 1);
    CHECK(from == given.local_endpoint());
  }
  given.send_to(asio::buffer("y", 1), given.local_endpoint());
  char byte = 0;
  CHECK(given.receive(asio::buffer(&byte, 1)) == 1);
}

TEST_CASE("a number that is no such socket is an error that says so", "[os][C15]") {
  asio::io_context io;
  udp::socket datagrams(io, udp::endpoint(asio::ip::address_v4::loopback(), 0));
  CHECK(failure_to_listen(io, request_from(datagrams)) == asio::error::invalid_argument);
  auto stream = bind(io);
  error_code ec;
  os::datagrams const wrong(io.get_executor(), request_from(stream), ec);
  CHECK(ec == asio::error::invalid_argument);
  connection pair(io);
  CHECK(failure_to_listen(io, request_from(pair.client)));
  auto closed = request_from(stream);
  stream.close();
  ec = failure_to_listen(io, closed);
  CHECK((ec == asio::error::bad_descriptor || ec == asio::error::not_socket));
}

WORKER_PROGRAM(has_what_is_meant_for_it) {
  auto const handles = open_handles();
  bool const expected = handles == expected_worker_handles();
  worker_side self;
  return expected ? 0 : 1;
}

TEST_CASE("workers do not inherit the sockets that the primary was given", "[os][C5]") {
  asio::io_context io;
  auto given = bind(io);
  auto const listener = listen(io, request_from(given));
  CHECK(wait_for_exit(io, start(io, "has_what_is_meant_for_it")->child).code == 0);
}

}  // namespace prong::test
