// Which class stands for which scheduling.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/policy.hpp"

#include "common/core/policy/by_function.hpp"
#include "common/core/policy/in_order.hpp"
#include "common/core/policy/least_connections.hpp"
#include "common/core/policy/round_robin.hpp"
#include "common/core/policy/sticky.hpp"

namespace prong::core {

std::unique_ptr<policy> make_policy(scheduling which, worker_choice const& choose) {
  switch (which) {
    case scheduling::least_connections: return std::make_unique<in_order<least_connections>>();
    case scheduling::sticky: return std::make_unique<sticky>();
    case scheduling::custom: return std::make_unique<by_function>(choose);
    case scheduling::platform_default:
    case scheduling::round_robin:
    case scheduling::shared:
    case scheduling::sharded: break;
  }
  return std::make_unique<in_order<round_robin>>();
}

bool goes_by_load(scheduling which) noexcept {
  return which == scheduling::least_connections || which == scheduling::custom;
}

bool goes_by_client(scheduling which) noexcept {
  return which == scheduling::custom || which == scheduling::sticky;
}

bool workers_accept(scheduling which) noexcept {
  return which == scheduling::shared || which == scheduling::sharded;
}

}  // namespace prong::core
