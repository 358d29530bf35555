// The shortest way: one call that is the primary in the first process and a worker in the others.
// For programs that have no main loop of their own; everything here is done with the public
// objects, so that a program that outgrows it can copy it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/primary.hpp>
#include <prong/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <functional>

namespace prong {

/// Runs `worker_main` in each worker, and in the primary a pool that reloads on SIGHUP and shuts
/// down on SIGINT or SIGTERM; a second one ends it at once. Returns the exit status for `main`:
/// 0, or 1 after an error, which is printed to standard error. Blocks; owns its `io_context`.
/// `settings.workers` 0 means `available_parallelism()`.
int run(options settings, std::function<asio::awaitable<void>(worker&)> worker_main);

}  // namespace prong
