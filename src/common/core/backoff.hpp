// When a dead worker may be replaced: a growing delay for each slot of the pool, and a breaker for
// the whole of it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/types.hpp"

#include <prong/options.hpp>

#include <cstddef>
#include <deque>
#include <random>

namespace prong::core {

/// The delay before the next start of one slot.
class backoff {
 public:
  /// How long to wait after a worker that lived for `lived` has died. `random` is the source of
  /// the jitter, which keeps slots that died together from starting together for ever.
  duration next(respawn_limits const& limits, std::chrono::nanoseconds lived,
                std::minstd_rand& random);

 private:
  unsigned young_deaths_ = 0;  // in a row
};

/// Opens when there are more than `limit` deaths within `interval`, as a supervisor of OTP.
class breaker {
 public:
  /// True if this death is one too many. The count starts anew then.
  bool on_death(time_point now, std::size_t limit, duration interval);
  void reset() { deaths_.clear(); }

 private:
  std::deque<time_point> deaths_;  // at most `limit`
};

}  // namespace prong::core
