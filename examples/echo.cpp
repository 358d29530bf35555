// Echoes what its clients send, from one worker process for each CPU: echo [PORT].
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdlib>
#include <prong/prong.hpp>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable, asio::ip::tcp;

awaitable<void> echo(tcp::socket client) {
  char data[4096];
  for (;;) {  // the exception of a client that leaves ends the coroutine
    auto const count = co_await client.async_read_some(asio::buffer(data), use_awaitable);
    co_await asio::async_write(client, asio::buffer(data, count), use_awaitable);
  }
}

awaitable<void> serve(prong::worker& self, tcp::endpoint where) {
  prong::acceptor acceptor(self, where);
  for (;;) {
    auto [ec, client] = co_await acceptor.async_accept(asio::as_tuple(use_awaitable));
    if (ec == asio::error::operation_aborted) co_return;  // the worker is to stop
    if (ec) throw boost::system::system_error(ec, "echo");
    asio::co_spawn(self.get_executor(), echo(std::move(client)), asio::detached);
  }
}

int main(int argc, char** argv) {
  tcp::endpoint const where(tcp::v4(), argc > 1 ? asio::ip::port_type(std::atoi(argv[1])) : 7000);
  return prong::run({}, [=](prong::worker& self) { return serve(self, where); });
}
