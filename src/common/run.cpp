// prong::run: the shortest way.
// SPDX-License-Identifier: BSL-1.0
#include <prong/run.hpp>

#include <prong/host.hpp>
#include <prong/primary.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <utility>

namespace prong {
namespace {

using asio::awaitable;

int report(std::exception const& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
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
  asio::io_context context(1);
  host where(context);
  if (settings.workers == 0) settings.workers = available_parallelism();
  if (!settings.worker.arguments && !where.arguments().empty())
    settings.worker.arguments = where.arguments();
  if (!settings.log)
    settings.log = [&where](log_level level, std::string_view text) { where.log(level, text); };
  int status = 1;
  try {
    primary boss(context, std::move(settings));
    where.async_run(boss, {}, [&](error_code ec) { status = ec ? 1 : 0; });
    context.run();
  } catch (std::exception const& error) {
    where.log(log_level::error, error.what());
  }
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
