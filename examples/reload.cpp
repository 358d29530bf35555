// A rolling reload: every worker is replaced, and the port is open all the while.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <prong/prong.hpp>
#include <variant>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable, asio::ip::tcp;

namespace {

constexpr int workers = 2;

awaitable<void> serve(prong::worker& self) {
  prong::acceptor acceptor(self, tcp::endpoint(tcp::v4(), 0));
  for (;;) co_await acceptor.async_accept(use_awaitable);  // throws when the worker is to stop
}

awaitable<void> reload_once(prong::primary& boss, bool& reloaded) {
  for (int listening = 0; listening < workers;) {
    auto const event = co_await boss.async_next_event(use_awaitable);
    if (std::holds_alternative<prong::worker_listening>(event)) ++listening;
  }
  for (auto const& each : boss.workers()) std::printf("before: %u\n", unsigned(each.id));
  co_await boss.async_reload(use_awaitable);
  for (auto const& each : boss.workers())
    if (each.state == prong::worker_state::online) std::printf("after: %u\n", unsigned(each.id));
  reloaded = true;
  co_await boss.async_shutdown(use_awaitable);
}

}  // namespace

int main() {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    asio::co_spawn(context, serve(self), asio::detached);
    context.run();
    return 0;
  }
  prong::options settings;
  settings.workers = workers;
  prong::primary boss(context, settings);
  boss.async_run(asio::detached);
  bool reloaded = false;
  asio::co_spawn(context, reload_once(boss, reloaded), [&](std::exception_ptr) { context.stop(); });
  context.run();
  return reloaded ? 0 : 1;
}
