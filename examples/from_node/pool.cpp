// A pool that replaces its dead. The first worker fails; ends when its successor is there.
// SPDX-License-Identifier: BSL-1.0
#include <boost/asio.hpp>
#include <cstdio>
#include <prong/prong.hpp>

namespace asio = boost::asio;
using asio::awaitable, asio::use_awaitable;

namespace {

constexpr std::size_t workers = 2;
constexpr prong::worker_id successor{workers + 1};

int work(prong::worker& self, asio::io_context& context) {
  if (self.id() == prong::worker_id{1}) return 3;
  self.async_wait_stop(asio::detached);
  context.run();
  return 0;
}

awaitable<void> stop_when_replaced(prong::primary& boss) {
  for (prong::worker_id newest{}; newest != successor;) {
    auto const event = co_await boss.async_next_event(use_awaitable);
    if (auto const* const worker = std::get_if<prong::worker_online>(&event)) {
      newest = worker->id;
      std::printf("worker %u is online\n", unsigned(worker->id));
    } else if (auto const* const gone = std::get_if<prong::worker_exited>(&event)) {
      std::printf("worker %u %s\n", unsigned(gone->id), describe(*gone).c_str());
    }
  }
  co_await boss.async_shutdown(use_awaitable);
}

}  // namespace

int main() {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    return work(self, context);
  }
  prong::options settings;
  settings.workers = workers;
  prong::primary boss(context, settings);
  boss.async_run(asio::detached);
  std::exception_ptr failure;
  asio::co_spawn(context, stop_when_replaced(boss), [&](auto how) {
    failure = how;
    context.stop();
  });
  context.run();
  return failure ? 1 : 0;
}
