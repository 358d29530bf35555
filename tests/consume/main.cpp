// A user's program in miniature: a primary, one worker that listens, and an orderly end.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <prong/prong.hpp>
#include <variant>

namespace asio = boost::asio;

// Shuts down at the first worker that listens. True if one did.
asio::awaitable<void> watch(prong::primary& boss, bool& listened) {
  for (;;) {
    auto event = co_await boss.async_next_event(asio::use_awaitable);
    listened = std::holds_alternative<prong::worker_listening>(event);
    if (listened) co_return co_await boss.async_shutdown(asio::use_awaitable);
    if (std::holds_alternative<prong::worker_exited>(event)) co_return;
  }
}

int main() {
  asio::io_context context;
  if (prong::is_worker()) {
    prong::worker self{context};
    prong::acceptor acceptor{self, {asio::ip::tcp::v4(), 0}};
    acceptor.async_accept([](auto, auto) {});
    context.run();
    return 0;
  }
  prong::primary boss{context};
  bool listened = false;
  boss.fork();
  asio::co_spawn(context, watch(boss, listened), asio::detached);
  context.run();
  std::puts(listened ? "a worker listened" : "no worker listened");
  return listened ? 0 : 1;
}
