// What most workers of these tests do with a connection: say which worker has taken it, and give
// back each line that comes.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace prong::test {

using asio::awaitable;
using asio::detached;
using asio::use_awaitable;

/// How many small messages may be on their way that the program at the other end has not taken.
constexpr std::size_t message_window = 256;

awaitable<void> greet_and_echo(tcp::socket connection, worker_id by);

/// Serves `asio::ip::tcp::acceptor` and `prong::acceptor` alike, until it is closed or drains.
template <class Acceptor>
awaitable<void> serve(Acceptor acceptor, worker_id by) {
  for (;;) {
    auto [ec, connection] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
    if (ec) co_return;
    auto const executor = connection.get_executor();
    asio::co_spawn(executor, greet_and_echo(std::move(connection), by), detached);
  }
}

/// Starts `serve` on any port.
void serve_any_port(worker& self);
/// Writes one line.
awaitable<void> say(tcp::socket& to, std::string text);
/// Sends a message without a body.
awaitable<void> tell(worker& self, std::string topic);
/// Waits for this message; others before it are dropped.
awaitable<void> hear(worker& self, std::string topic);
/// Gives back each message, with its socket.
awaitable<void> answer_messages(worker& self);
/// Bytes that show where one is missing, zeros among them.
std::string pattern(std::size_t size);
/// Never gives the processor back.
[[noreturn]] void spin();

}  // namespace prong::test
