// prong::run: the shortest way.
// SPDX-License-Identifier: BSL-1.0
#include <prong/run.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <exception>
#include <utility>

namespace prong {
namespace {

using asio::awaitable;
using asio::use_awaitable;

int report(std::exception const& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

awaitable<void> control(primary& boss, asio::io_context& context) {
  asio::signal_set signals(context, SIGINT, SIGTERM);
#if defined(SIGHUP)
  signals.add(SIGHUP);
  while (co_await signals.async_wait(use_awaitable) == SIGHUP)
    boss.async_reload(asio::detached);  // a failed reload leaves the old workers
#else
  co_await signals.async_wait(use_awaitable);
#endif
  boss.async_shutdown(asio::detached);
  co_await signals.async_wait(use_awaitable);
  context.stop();  // the second one: the primary's destructor kills the workers
}

int run_worker(std::function<awaitable<void>(worker&)> const& worker_main) {
  asio::io_context context(1);
  worker self(context);
  int status = 0;
  asio::co_spawn(context, worker_main(self), [&](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (std::exception const& error) {
      status = report(error);
    }
    context.stop();
  });
  context.run();
  return status;
}

int run_primary(options settings) {
  if (settings.workers == 0) settings.workers = available_parallelism();
  asio::io_context context(1);
  primary boss(context, std::move(settings));
  int status = 1;
  boss.async_run([&](error_code ec) {
    status = ec ? 1 : 0;
    context.stop();
  });
  asio::co_spawn(context, control(boss, context), asio::detached);
  context.run();
  return status;
}

}  // namespace

int run(options settings, std::function<awaitable<void>(worker&)> worker_main) {
  try {
    return is_worker() ? run_worker(worker_main) : run_primary(std::move(settings));
  } catch (std::exception const& error) {
    return report(error);
  }
}

}  // namespace prong
