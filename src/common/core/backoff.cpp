// When a dead worker may be replaced.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/backoff.hpp"

#include <algorithm>

namespace prong::core {

duration backoff::next(respawn_limits const& limits, std::chrono::nanoseconds lived,
                       std::minstd_rand& random) {
  if (lived >= limits.stable_after) young_deaths_ = 0;
  auto const before = young_deaths_++;
  if (before == 0) return duration::zero();
  auto delay = limits.initial_delay;
  for (auto doubled = 1u; doubled < before && delay < limits.max_delay; ++doubled) delay *= 2;
  delay = std::min(delay, limits.max_delay);
  std::uniform_int_distribution<duration::rep> extra(0, delay.count() / 2);
  return delay + duration(extra(random));
}

bool breaker::on_death(time_point now, std::size_t limit, duration interval) {
  while (!deaths_.empty() && now - deaths_.front() > interval) deaths_.pop_front();
  deaths_.push_back(now);
  if (deaths_.size() <= limit) return false;
  deaths_.clear();
  return true;
}

}  // namespace prong::core
