// The supervised pool: so many slots, each with a worker or about to get one.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/action.hpp"
#include "common/core/backoff.hpp"
#include "common/core/types.hpp"

#include <cstddef>
#include <optional>
#include <random>
#include <vector>

namespace prong::core {

class pool {
 public:
  pool(respawn_limits const& limits, std::uint_fast32_t seed, action_queue& actions)
      : limits_(limits), actions_(actions), random_(seed) {}

  /// One slot more, with a number that no other worker has.
  void add(std::size_t number) { slots_.emplace_back().number = number; }
  bool has(std::size_t number) const;
  /// To so many slots at most. Returns the workers that are in the pool no more.
  std::vector<worker_id> shrink(std::size_t size);
  /// Whether a slot may start a worker now, the number of that slot, and which one it got.
  bool wants_worker(time_point now) const;
  std::size_t next_slot() const;
  void fill(worker_id id);
  /// A worker is gone. `deliberate`: it was asked to go, which is not a death.
  void on_gone(worker_id id, bool deliberate, std::chrono::nanoseconds lived, time_point now);
  /// `next` takes the slot of `old`, if that has one.
  void replace(worker_id old, worker_id next);
  /// Forgets all deaths: whoever reloads has mended something.
  void revive();

  void on_time(time_point now);
  time_point next_deadline() const;
  std::size_t size() const noexcept { return slots_.size(); }

 private:
  struct slot {
    std::size_t number = 0;
    std::optional<worker_id> worker;
    time_point start_at = time_point::min();
    backoff delay{};
  };
  slot* find(worker_id id);
  std::vector<slot>::const_iterator waiting_longest() const;
  std::size_t max_deaths() const noexcept;

  respawn_limits limits_;
  action_queue& actions_;
  std::minstd_rand random_;
  std::vector<slot> slots_;
  breaker breaker_;
  std::optional<time_point> suspended_until_;
};

}  // namespace prong::core
