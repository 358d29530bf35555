// What the options come to once defaults and environment are applied.
// SPDX-License-Identifier: BSL-1.0
#include "common/options.hpp"

#include "common/os/process.hpp"

#include <prong/detail/native_socket.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace prong {
namespace {

constexpr char policy_variable[] = "PRONG_SCHED_POLICY";
struct policy_name {
  std::string_view name;
  scheduling what;
};
constexpr policy_name policy_names[] = {
    {"rr", scheduling::round_robin},  {"round_robin", scheduling::round_robin},
    {"none", scheduling::shared},     {"shared", scheduling::shared},
    {"sharded", scheduling::sharded}, {"least_connections", scheduling::least_connections},
    {"sticky", scheduling::sticky},   {"custom", scheduling::custom},
};
constexpr std::size_t most_workers = 4'096;
constexpr std::size_t largest_window = 1'024;
constexpr std::size_t most_pending = 1'000'000;

std::string unknown_policy(std::string_view value) {
  auto text = fmt::format("{}: '{}' is none of", policy_variable, value);
  for (auto const& each : policy_names) text += fmt::format(" {}", each.name);
  return text;
}

}  // namespace

std::string invalid_option(options const& settings) {
  auto const& respawn = settings.respawn;
  if (settings.scheduling == scheduling::custom && !settings.choose_worker)
    return "choose_worker: not given, and scheduling is custom";
  if (settings.workers > most_workers)
    return fmt::format("workers: {} is more than {}", settings.workers, most_workers);
  if (settings.window > largest_window)
    return fmt::format("window: {} is more than {}", settings.window, largest_window);
  if (settings.max_pending_connections < 1 || settings.max_pending_connections > most_pending)
    return fmt::format("max_pending_connections: {} is not within 1 and {}",
                       settings.max_pending_connections, most_pending);
  if (settings.recall_after < duration::zero()) return "recall_after: negative";
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

scheduling scheduling_of(options const& settings, std::string& invalid) {
  auto chosen = settings.scheduling;
  if (char const* const set = std::getenv(policy_variable)) {
    auto const found = std::ranges::find(policy_names, std::string_view(set), &policy_name::name);
    if (found != std::ranges::end(policy_names))
      chosen = found->what;
    else
      invalid = unknown_policy(set);
    if (chosen == scheduling::custom && !settings.choose_worker)
      invalid = fmt::format("{}: 'custom' needs choose_worker", policy_variable);
  }
  if (chosen != scheduling::platform_default) return chosen;
  return detail::workers_accept_by_default ? scheduling::shared : scheduling::round_robin;
}

std::size_t available_parallelism() noexcept {
  return os::available_parallelism();
}

}  // namespace prong
