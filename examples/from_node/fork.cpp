// One worker for each CPU, started by hand; ends when all of them listen.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdio>
#include <prong/prong.hpp>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable, asio::ip::tcp;

namespace {

awaitable<void> greet(tcp::socket client) {
  co_await asio::async_write(client, asio::buffer("hello\n", 6), use_awaitable);
}

awaitable<void> serve(prong::worker& self) {
  prong::acceptor acceptor(self, tcp::endpoint(tcp::v4(), 0));
  for (;;) {
    auto client = co_await acceptor.async_accept(use_awaitable);
    asio::co_spawn(self.get_executor(), greet(std::move(client)), asio::detached);
  }
}

awaitable<void> stop_when_all_listen(prong::primary& boss) {
  for (std::size_t listening = 0; listening < boss.workers().size();) {
    auto const event = co_await boss.async_next_event(use_awaitable);
    if (auto const* const gone = std::get_if<prong::worker_exited>(&event))
      throw std::runtime_error(describe(*gone));
    if (auto const* const at = std::get_if<prong::worker_listening>(&event)) {
      ++listening;
      std::printf("worker %u listens on %s\n", unsigned(at->id), to_string(at->endpoint).c_str());
    }
  }
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
  prong::primary boss(context);
  for (auto count = prong::available_parallelism(); count > 0; --count) boss.fork();
  std::exception_ptr failure;
  asio::co_spawn(context, stop_when_all_listen(boss), [&](auto how) {
    failure = how;
    context.stop();
  });
  context.run();
  return failure ? 1 : 0;
}
