// Port 0: the first acceptors of all workers share one port, the second ones another.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdio>
#include <map>
#include <prong/prong.hpp>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable, asio::ip::tcp;

namespace {

constexpr std::size_t workers = 3, acceptors = 2;

awaitable<void> listen_twice(prong::worker& self) {
  prong::acceptor first(self, tcp::endpoint(tcp::v4(), 0));
  prong::acceptor second(self, tcp::endpoint(tcp::v4(), 0));
  co_await first.async_listen(use_awaitable);
  co_await second.async_listen(use_awaitable);
  co_await self.async_wait_stop(use_awaitable);
}

awaitable<void> stop_when_all_listen(prong::primary& boss, bool& shared) {
  std::map<std::uint16_t, std::size_t> ports;  // how many workers listen on each
  for (std::size_t count = 0; count < workers * acceptors;) {
    auto const event = co_await boss.async_next_event(use_awaitable);
    if (std::holds_alternative<prong::worker_exited>(event)) co_return;
    if (auto const* const at = std::get_if<prong::worker_listening>(&event)) {
      std::printf("worker %u listens on %s\n", unsigned(at->id), to_string(at->endpoint).c_str());
      ++ports[at->endpoint.port];
      ++count;
    }
  }
  shared = ports.size() == acceptors;
  for (auto const& [port, count] : ports) shared = shared && count == workers;
  co_await boss.async_shutdown(use_awaitable);
}

}  // namespace

int main() {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    asio::co_spawn(context, listen_twice(self), asio::detached);
    context.run();
    return 0;
  }
  prong::primary boss(context);
  for (std::size_t count = 0; count < workers; ++count) boss.fork();
  bool shared = false;
  asio::co_spawn(context, stop_when_all_listen(boss, shared), [&](auto) { context.stop(); });
  context.run();
  return shared ? 0 : 1;
}
