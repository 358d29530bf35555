// What the options come to once defaults and environment are applied.
// SPDX-License-Identifier: BSL-1.0
#include "common/options.hpp"

#include "common/os/process.hpp"

#include <prong/detail/native_socket.hpp>

#include <fmt/format.h>
#include <cstdlib>
#include <string_view>

namespace prong {
namespace {

constexpr char policy_variable[] = "PRONG_SCHED_POLICY";
constexpr std::size_t most_workers = 4'096;
constexpr std::size_t largest_window = 1'024;
constexpr std::size_t most_pending = 1'000'000;

}  // namespace

std::string invalid_option(options const& settings) {
  auto const& respawn = settings.respawn;
  if (settings.workers > most_workers)
    return fmt::format("workers: {} is more than {}", settings.workers, most_workers);
  if (settings.window < 1 || settings.window > largest_window)
    return fmt::format("window: {} is not within 1 and {}", settings.window, largest_window);
  if (settings.max_pending_connections < 1 || settings.max_pending_connections > most_pending)
    return fmt::format("max_pending_connections: {} is not within 1 and {}",
                       settings.max_pending_connections, most_pending);
  if (settings.max_queued_events < 1) return "max_queued_events: 0 leaves room for no event";
  if (settings.start_timeout <= duration::zero()) return "start_timeout: not positive";
  if (settings.stop_timeout < duration::zero()) return "stop_timeout: negative";
  if (respawn.initial_delay < duration::zero()) return "respawn.initial_delay: negative";
  if (respawn.max_delay < respawn.initial_delay)
    return "respawn.max_delay: less than respawn.initial_delay";
  if (respawn.interval <= duration::zero()) return "respawn.interval: not positive";
  if (respawn.revive_after <= duration::zero()) return "respawn.revive_after: not positive";
  return {};
}

bool is_shared(scheduling chosen, std::string& invalid) {
  if (char const* const set = std::getenv(policy_variable)) {
    std::string_view const value = set;
    if (value == "rr" || value == "round_robin") return false;
    if (value == "none" || value == "shared") return true;
    invalid =
        fmt::format("{}: '{}' is none of rr, round_robin, none, shared", policy_variable, value);
  }
  if (chosen == scheduling::platform_default) return detail::workers_accept_by_default;
  return chosen == scheduling::shared;
}

std::size_t available_parallelism() noexcept {
  return os::available_parallelism();
}

}  // namespace prong
