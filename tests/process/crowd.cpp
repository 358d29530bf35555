// Many clients at once.
// SPDX-License-Identifier: BSL-1.0
#include "process/crowd.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

namespace prong::test {

crowd::crowd(fixture& owner, tcp::endpoint to, int clients, int requests)
    : left(requests), port_(std::move(to)), clients_(clients) {
  for (int count = 0; count < clients; ++count)
    asio::co_spawn(owner.io, one_after_the_other(), detached);
}

awaitable<void> crowd::one_after_the_other() {
  while (left > 0) {
    --left;
    if (on_request) on_request();
    co_await request();
  }
  ++finished_;
}

awaitable<void> crowd::request() {
  tcp::socket socket(co_await asio::this_coro::executor);
  error_code ec;
  auto const completed = [&ec] { return asio::redirect_error(use_awaitable, ec); };
  co_await socket.async_connect(port_, completed());
  if (ec) {
    ++refused;
    co_return;
  }
  std::string greeting;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(greeting), '\n', completed());
  if (ec) {
    ++forgotten;
    co_return;
  }
  std::string const question = "hello\n";
  std::string answer;
  co_await asio::async_write(socket, asio::buffer(question), completed());
  if (!ec) co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), '\n', completed());
  if (answer == question)
    ++answered;
  else
    ++taken;
}

}  // namespace prong::test
