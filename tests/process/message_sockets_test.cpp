// Messages that carry sockets. The sockets are made by the system's own calls, because Windows lets
// one that Asio had used go only with its consent: the last tests are about that.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdlib>
#include <string>

namespace prong::test {
namespace {

using asio::ip::udp;

// Both ends of a connection: one is Asio's, the other never was.
struct half_raw {
  explicit half_raw(asio::any_io_executor io) : asios(std::move(io)) {
    auto const listener = listening_socket();
    asios.connect({asio::ip::address_v4::loopback(), listener.port});
    raw = accept_from(listener.socket.get());
  }
  tcp::socket asios;
  socket_handle raw;
};

template <class Socket>
Socket adopt(asio::any_io_executor io, socket_handle from) {
  using protocol = typename Socket::protocol_type;
  Socket result(std::move(io));
  assign_socket(result, protocol::v4(), std::move(from));
  return result;
}

// A message about a socket of its own: its body is the socket's port.
message about_socket(std::string topic) {
  auto made = datagram_socket();
  return {std::move(topic), std::to_string(made.port), std::move(made.socket)};
}

// Whether the message came with the socket that it is about.
bool has_its_socket(asio::any_io_executor io, message& what) {
  if (!what.socket || what.socket_lost) return false;
  auto const socket = adopt<udp::socket>(std::move(io), std::move(what.socket));
  return std::to_string(socket.local_endpoint().port()) == what.body;
}

error_code send(fixture& f, worker_id to, message what) {
  return f.complete([&](auto done) { f.boss->async_send(to, std::move(what), std::move(done)); });
}

}  // namespace

// --- What can be sent ---------------------------------------------------------------------------

// Does with each socket what its kind is for.
WORKER_BODY(uses_what_it_is_sent)(worker& self)->awaitable<void> {
  auto const io = self.get_executor();
  for (;;) {
    auto what = co_await self.async_receive(use_awaitable);
    if (what.topic == "connection") {
      auto connection = adopt<tcp::socket>(io, std::move(what.socket));
      asio::co_spawn(io, greet_and_echo(std::move(connection), self.id()), detached);
    } else if (what.topic == "listening") {
      auto listener = adopt<tcp::acceptor>(io, std::move(what.socket));
      asio::co_spawn(io, serve(std::move(listener), self.id()), detached);
    } else {
      auto socket = adopt<udp::socket>(io, std::move(what.socket));
      std::string data(100, '\0');
      udp::endpoint from;
      auto const size = co_await socket.async_receive_from(asio::buffer(data), from, use_awaitable);
      co_await socket.async_send_to(asio::buffer(data, size), from, use_awaitable);
    }
  }
}

TEST_CASE("a connection that the primary sends is served by the worker",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("uses_what_it_is_sent");
  half_raw pair(f.io.get_executor());
  REQUIRE_FALSE(send(f, id, message("connection", "", std::move(pair.raw))));
  client one(f, std::move(pair.asios));
  CHECK(one.server() == id);
  CHECK(one.ask("hello") == "hello");
}

WORKER_BODY(sends_a_connection)(worker& self)->awaitable<void> {
  half_raw pair(self.get_executor());
  message gift("connection", "", std::move(pair.raw));
  co_await self.async_send(std::move(gift), use_awaitable);
  co_await greet_and_echo(std::move(pair.asios), self.id());
}

TEST_CASE("a connection that a worker sends stays usable in the primary",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("sends_a_connection");
  auto gift = f.expect<worker_message>().message;
  client one(f, adopt<tcp::socket>(f.io.get_executor(), std::move(gift.socket)));
  CHECK(one.server() == id);
  CHECK(one.ask("hello") == "hello");
}

TEST_CASE("a worker accepts on a listening socket that came in a message",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("uses_what_it_is_sent");
  auto listener = listening_socket();
  REQUIRE_FALSE(send(f, id, message("listening", "", std::move(listener.socket))));
  for (int count = 0; count < 3; ++count) {
    client one(f, {asio::ip::address_v4::loopback(), listener.port});
    CHECK(one.server() == id);
  }
}

TEST_CASE("a worker answers datagrams on a socket that came in a message",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("uses_what_it_is_sent");
  auto made = datagram_socket();
  REQUIRE_FALSE(send(f, id, message("datagrams", "", std::move(made.socket))));
  auto socket = adopt<udp::socket>(f.io.get_executor(), datagram_socket().socket);
  socket.send_to(asio::buffer("ping", 4), {asio::ip::address_v4::loopback(), made.port});
  std::string answer(100, '\0');
  f.complete([&](auto done) {
    socket.async_receive(asio::buffer(answer), [&, done](error_code ec, std::size_t size) mutable {
      answer.resize(size);
      done(ec);
    });
  });
  CHECK(answer == "ping");
}

TEST_CASE("the largest message carries a socket, there and back", "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  std::string const topic(message::max_topic_size, 't');
  auto const body = pattern(message::max_body_size);
  half_raw pair(f.io.get_executor());
  REQUIRE_FALSE(send(f, id, message(topic, body, std::move(pair.raw))));
  auto answer = f.expect<worker_message>().message;
  CHECK((answer == message(topic, body)));
  auto server = adopt<tcp::socket>(f.io.get_executor(), std::move(answer.socket));
  asio::write(server, asio::buffer("hello\n", 6));
  CHECK(client(f, std::move(pair.asios)).read_line() == "hello");
}

// --- Many at once -------------------------------------------------------------------------------

TEST_CASE("messages that are read at once have each its own socket",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  constexpr int count = 30;
  for (int number = 0; number < count; ++number) {
    bool const with_socket = number % 3 == 1 || number % 7 == 0;  // alone, and in rows
    auto what = with_socket ? about_socket("with") : message("without", "");
    f.boss->async_send(id, std::move(what), [](error_code ec) { CHECK_FALSE(ec); });
  }
  for (int number = 0; number < count; ++number) {
    auto answer = f.expect<worker_message>().message;
    bool const with_socket = number % 3 == 1 || number % 7 == 0;
    CHECK(answer.topic == (with_socket ? "with" : "without"));
    CHECK(has_its_socket(f.io.get_executor(), answer) == with_socket);
    CHECK_FALSE(answer.socket_lost);
  }
}

constexpr int many = 300;

WORKER_BODY(exchanges_many_sockets)(worker& self)->awaitable<void> {
  co_await hear(self, "begin");
  for (int number = 0; number < many; ++number)
    self.async_send(about_socket(std::to_string(number)), detached);
  int well = 0;
  for (int number = 0; number < many; ++number) {
    auto next = co_await self.async_receive(use_awaitable);
    bool const expected = next.topic == std::to_string(number);
    if (expected && has_its_socket(self.get_executor(), next)) ++well;
  }
  co_await tell(self, std::to_string(well));
  co_await answer_messages(self);
}

TEST_CASE("both sides can send each other many sockets at once", "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("exchanges_many_sockets");
  REQUIRE_FALSE(f.send(id, "begin"));
  int sent = 0;
  for (int number = 0; number < many; ++number)
    f.boss->async_send(id, about_socket(std::to_string(number)),
                       [&](error_code ec) { sent += ec ? 0 : 1; });
  for (int number = 0; number < many; ++number) {
    auto next = f.expect<worker_message>().message;
    CHECK(next.topic == std::to_string(number));
    CHECK(has_its_socket(f.io.get_executor(), next));
  }
  CHECK(f.expect_message(id) == std::to_string(many));
  f.run_until([&] { return sent == many; });
}

TEST_CASE("a socket goes with the first message that it is given to",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("answers_messages");
  auto one = datagram_socket().socket;
  REQUIRE_FALSE(send(f, id, message("first", "", std::move(one))));
  REQUIRE_FALSE(send(f, id, message("second", "", std::move(one))));
  CHECK(f.expect<worker_message>().message.socket);
  auto const second = f.expect<worker_message>().message;
  CHECK_FALSE(second.socket);
  CHECK_FALSE(second.socket_lost);
}

// --- What becomes of a socket -------------------------------------------------------------------

WORKER_BODY(ends_at_the_first_message)(worker& self)->awaitable<void> {
  co_await self.async_receive(use_awaitable);
  std::_Exit(0);
}

TEST_CASE("a socket that is sent to a worker that has ended is closed, and the send fails",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("ends_at_the_first_message");
  std::vector<tcp::socket> clients;
  error_code ec;
  while (!ec) {
    half_raw pair(f.io.get_executor());
    clients.push_back(std::move(pair.asios));
    ec = send(f, id, message("connection", "", std::move(pair.raw)));
    if (clients.size() == 1) CHECK_FALSE(ec);
  }
  CHECK(clients.size() > 1);
  CHECK((ec == errc::worker_gone || ec == errc::no_such_worker));
  f.expect<worker_exited>();
  for (auto& each : clients) CHECK_FALSE(client(f, std::move(each)).read_line());
}

TEST_CASE("the socket of a message that is not sent is closed", "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("takes_no_message");
  asio::cancellation_signal cancel;
  error_code why;
  half_raw pair(f.io.get_executor());
  SECTION("it is too large") {
    std::string const body(message::max_body_size + 1, 'x');
    why = send(f, id, message("large", body, std::move(pair.raw)));
    CHECK(why == errc::message_too_large);
  }
  SECTION("there is no such worker") {
    why = send(f, worker_id{1000}, message("to nobody", "", std::move(pair.raw)));
    CHECK(why == errc::no_such_worker);
  }
  SECTION("it is cancelled while it waits") {
    for (std::size_t count = 0; count < message_window; ++count)
      REQUIRE_FALSE(f.send(id, "fills the window"));
    f.boss->async_send(
        id, message("cancelled", "", std::move(pair.raw)),
        asio::bind_cancellation_slot(cancel.slot(), [&](error_code ec) { why = ec; }));
    cancel.emit(asio::cancellation_type::total);
    f.run_until([&] { return static_cast<bool>(why); });
    CHECK(why == asio::error::operation_aborted);
  }
  CHECK_FALSE(client(f, std::move(pair.asios)).read_line());
}

WORKER_BODY(takes_no_message)(worker& self)->awaitable<void> {
  co_await self.async_wait_stop(use_awaitable);
}

constexpr char no_limit_here[] = "no limit here";

WORKER_BODY(has_no_free_handle_for_a_message)(worker& self)->awaitable<void> {
  co_await hear(self, "begin");  // also lets sanitizers open what they need
  std::string result;
  {
    no_free_handles const limit;
    std::string ready = no_limit_here;
    if (limit) ready = "ready";
    co_await tell(self, ready);
    auto const what = co_await self.async_receive(use_awaitable);
    result = what.topic;
    if (what.socket_lost && !what.socket) result += " has lost its socket";
  }
  co_await tell(self, result);
  co_await answer_messages(self);
}

TEST_CASE("a message says that its socket was lost for want of a handle",
          "[process][messages][sockets][C11]") {
  fixture f({});
  auto const id = f.fork("has_no_free_handle_for_a_message");
  if (f.ask(id, "begin") == no_limit_here) {
    WARN("not shown here: this system has no limit of handles");
    return;
  }
  REQUIRE_FALSE(send(f, id, about_socket("first")));
  CHECK(f.expect_message(id) == "first has lost its socket");
  REQUIRE_FALSE(send(f, id, about_socket("second")));
  auto second = f.expect<worker_message>().message;
  CHECK(has_its_socket(f.io.get_executor(), second));
}

// --- From Asio and to Asio ----------------------------------------------------------------------

TEST_CASE("a socket that Asio uses is sent, or stays usable where the system cannot let it go",
          "[process][messages][sockets]") {
  fixture f({});
  auto const id = f.fork("uses_what_it_is_sent");
  auto const io = f.io.get_executor();
  half_raw pair(io);
  auto other_end = adopt<tcp::socket>(io, std::move(pair.raw));
  error_code ec;
  auto taken = release_socket(pair.asios, ec);
  CHECK(static_cast<bool>(taken) == lets_sockets_go());
  CHECK(pair.asios.is_open() == !lets_sockets_go());
  if (taken) {
    CHECK_FALSE(ec);
    REQUIRE_FALSE(send(f, id, message("connection", "", std::move(taken))));
    CHECK(client(f, std::move(other_end)).server() == id);
  } else {
    CHECK(ec == asio::error::operation_not_supported);
    asio::co_spawn(io, greet_and_echo(std::move(pair.asios), worker_id{77}), detached);
    client one(f, std::move(other_end));
    CHECK(one.server() == worker_id{77});
    CHECK(one.ask("hello") == "hello");
  }
}

TEST_CASE("what Asio does not take stays with its handle", "[process][messages][sockets]") {
  asio::io_context io;
  auto used = adopt<udp::socket>(io.get_executor(), datagram_socket().socket);
  auto other = datagram_socket().socket;
  error_code ec;
  assign_socket(used, udp::v4(), std::move(other), ec);
  CHECK(ec == asio::error::already_open);
  CHECK(other);
  CHECK_THROWS(assign_socket(used, udp::v4(), std::move(other)));
  CHECK(other);

  tcp::acceptor closed(io);
  CHECK_FALSE(release_socket(closed, ec));
  CHECK(ec == asio::error::bad_descriptor);
  CHECK_THROWS(release_socket(closed));
}

}  // namespace prong::test
