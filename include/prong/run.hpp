// The shortest way: one call that is the primary in the first process and a worker in the others.
// For programs that have no main loop of their own; everything here is done with the public
// objects, so that a program that outgrows it can copy it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/options.hpp>
#include <prong/worker.hpp>

#include <boost/asio/awaitable.hpp>
#include <functional>

namespace prong {

/// Runs `worker_main` in each worker, and in the primary a pool that obeys its `host`: a terminal,
/// systemd, or the service control manager of Windows. Returns the exit status for `main`: 0, or 1
/// after an error. Blocks; owns its `io_context`. `settings.workers` 0 means
/// `available_parallelism()`; without `settings.log` the library writes to the host's log.
int run(options settings, std::function<asio::awaitable<void>(worker&)> worker_main);

}  // namespace prong
