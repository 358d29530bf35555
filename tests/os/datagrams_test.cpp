// The seam's UDP socket: shared by processes, each datagram for one of them.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/datagrams.hpp"

#include "os/seam_fixture.hpp"
#include "support/request.hpp"

#include <prong/error.hpp>

#include <set>

namespace prong::test {
namespace {

using asio::ip::udp;

udp::endpoint any_udp_port() {
  return {asio::ip::address_v4::loopback(), 0};
}

os::datagrams bind(asio::io_context& io, detail::listen_request const& what) {
  error_code ec;
  os::datagrams result(io.get_executor(), what, ec);
  REQUIRE_FALSE(ec);
  return result;
}

os::datagrams bind(asio::io_context& io) {
  return bind(io, request(any_udp_port()));
}

error_code failure_of(asio::io_context& io, detail::listen_request const& what) {
  error_code ec;
  os::datagrams const refused(io.get_executor(), what, ec);
  return ec;
}

bytes receive(asio::io_context& io, os::datagrams& at, udp::endpoint& from,
              std::size_t room = 1000) {
  for (;;) {
    bytes result(room);
    error_code ec;
    result.resize(at.receive(result, from, ec));
    if (!ec) return result;
    if (ec != asio::error::would_block) throw boost::system::system_error(ec);
    run_operation(io, [&](completion then) { at.async_wait(std::move(then)); });
  }
}

void send(os::datagrams& from, bytes const& what, endpoint const& to) {
  error_code ec;
  from.send(what, to.udp(), ec);
  if (ec) throw boost::system::system_error(ec);
}

}  // namespace

TEST_CASE("a datagram arrives whole, with its sender's address", "[os]") {
  asio::io_context io;
  auto here = bind(io);
  auto there = bind(io);
  for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    send(here, pattern(size), there.local_endpoint());
    udp::endpoint from;
    CHECK((receive(io, there, from) == pattern(size)));
    CHECK(endpoint(from) == here.local_endpoint());
  }
}

TEST_CASE("a datagram that is longer than the room for it says so", "[os]") {
  asio::io_context io;
  auto here = bind(io);
  send(here, pattern(100), here.local_endpoint());
  REQUIRE_FALSE(run_operation(io, [&](completion then) { here.async_wait(std::move(then)); }));
  bytes room(10);
  udp::endpoint from;
  error_code ec;
  CHECK(here.receive(room, from, ec) == 10);
  CHECK(ec == asio::error::message_size);
}

TEST_CASE("without a datagram nobody waits in receive", "[os]") {
  asio::io_context io;
  auto here = bind(io);
  bytes room(10);
  udp::endpoint from;
  error_code ec;
  CHECK(here.receive(room, from, ec) == 0);
  CHECK(ec == asio::error::would_block);
}

TEST_CASE("a UDP port that is taken is reported, and what is no UDP socket is not adopted",
          "[os]") {
  asio::io_context io;
  auto const here = bind(io);
  CHECK(failure_of(io, request(here.local_endpoint())) == asio::error::address_in_use);
  connection pair(io);
  error_code ec;
  os::datagrams const wrong(io.get_executor(), std::move(pair.server), ec);
  CHECK(ec);
}

TEST_CASE("two UDP sockets may have one address, if both ask for it", "[os]") {
  asio::io_context io;
  auto what = request(any_udp_port());
  what.how.reuse_address = true;
  auto const first = bind(io, what);
  what.where = first.local_endpoint();
  auto const second = bind(io, what);
  CHECK(second.local_endpoint() == first.local_endpoint());
  what.how.reuse_address = false;
  CHECK(failure_of(io, what));
}

TEST_CASE("UDP sockets that the system divides datagrams among are bound, or not supported",
          "[os]") {
  asio::io_context io;
  auto what = request(any_udp_port());
  what.how.reuse_port = true;
  if (!divides_among_sockets()) {
    CHECK(failure_of(io, what) == errc::not_supported);
    return;
  }
  auto const first = bind(io, what);
  what.where = first.local_endpoint();
  auto const second = bind(io, what);
  CHECK(second.local_endpoint() == first.local_endpoint());
  CHECK(failure_of(io, request(what.where)) == asio::error::address_in_use);
}

TEST_CASE("a UDP socket on IPv6 hears IPv4 as well, unless told not to", "[os]") {
  asio::io_context io;
  bool const only = GENERATE(false, true);
  auto const what = request(udp::endpoint(udp::v6(), 0), 0, only);
  if (auto const ec = failure_of(io, what)) {
    WARN("no IPv6 here: " << ec.message());
    return;
  }
  auto const both = bind(io, what);
  udp::endpoint const over_v4(asio::ip::address_v4::any(), both.local_endpoint().port);
  CHECK(failure_of(io, request(over_v4)) ==
        (only ? error_code() : error_code(asio::error::address_in_use)));
}

TEST_CASE("after it was cancelled a UDP socket leaves datagrams to those who share it",
          "[os][C1][C12]") {
  asio::io_context io;
  auto here = bind(io);
  error_code ec;
  os::datagrams another(io.get_executor(), here.duplicate(ec), ec);
  REQUIRE_FALSE(ec);
  auto const cancelled = run_operation(io, [&](completion then) {
    here.async_wait(std::move(then));
    here.cancel();
  });
  CHECK(cancelled == asio::error::operation_aborted);
  send(here, pattern(5), here.local_endpoint());
  bytes room(10);
  udp::endpoint from;
  CHECK(here.receive(room, from, ec) == 0);
  CHECK(ec == asio::error::would_block);
  CHECK((receive(io, another, from) == pattern(5)));
}

TEST_CASE("destroying a UDP socket completes its wait with operation_aborted", "[os][C1][C2]") {
  asio::io_context io;
  std::optional<os::datagrams> here = bind(io);
  auto const ended = run_operation(io, [&](completion then) {
    here->async_wait(std::move(then));
    here.reset();
  });
  CHECK(ended == asio::error::operation_aborted);
}

// Answers one datagram with its own number.
WORKER_PROGRAM(answers_one_datagram) {
  worker_side self;
  os::datagrams shared(self.io.get_executor(), receive(self.io, self.link).attached, self.failure);
  if (self.failure) return 1;
  udp::endpoint from;
  receive(self.io, shared, from);
  auto const number = std::to_string(os::this_process());
  send(shared, as_bytes(number), from);
  return 0;
}

TEST_CASE("workers that share a UDP socket each get a datagram, and answer from its port", "[os]") {
  asio::io_context io;
  auto port = bind(io);
  std::vector<worker_owner> workers;
  error_code ec;
  for (int count = 0; count < 3; ++count) {
    auto const copy = port.duplicate(ec);
    REQUIRE_FALSE(ec);
    workers.push_back(start(io, "answers_one_datagram"));
    REQUIRE_FALSE(send(io, workers.back()->link, frame(1, {}, wire::carries_socket), {copy.get()}));
  }
  auto client = bind(io);
  std::set<std::string> answers;
  for (std::size_t count = 0; count < workers.size(); ++count) {
    send(client, pattern(3), port.local_endpoint());
    udp::endpoint from;
    auto const answer = receive(io, client, from);
    answers.emplace(reinterpret_cast<char const*>(answer.data()), answer.size());
    CHECK(endpoint(from) == port.local_endpoint());
  }
  CHECK(answers.size() == workers.size());
  for (auto const& each : workers) CHECK(wait_for_exit(io, each->child).code == 0);
}

}  // namespace prong::test
