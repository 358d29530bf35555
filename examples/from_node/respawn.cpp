// Workers that die are replaced by hand. The first two fail; the third leaves because it wants to.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdio>
#include <prong/prong.hpp>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable;

namespace {

int work(prong::worker& self, asio::io_context& context) {
  if (unsigned(self.id()) < 3) return 3;
  self.async_disconnect(asio::detached);
  context.run();
  return 0;
}

awaitable<void> respawn(prong::primary& boss) {
  for (;;) {
    auto const event = co_await boss.async_next_event(use_awaitable);
    auto const* const worker = std::get_if<prong::worker_exited>(&event);
    if (!worker) continue;
    std::printf("worker %u %s\n", unsigned(worker->id), describe(*worker).c_str());
    if (worker->exited_after_disconnect) co_return;
    boss.fork();
  }
}

}  // namespace

int main() {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    return work(self, context);
  }
  prong::primary boss(context);
  boss.fork();
  std::exception_ptr failure;
  asio::co_spawn(context, respawn(boss), [&](auto how) {
    failure = how;
    context.stop();
  });
  context.run();
  return failure ? 1 : 0;
}
