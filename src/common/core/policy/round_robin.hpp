// Round robin among the workers that have room.
//
// The next connection goes to the ready worker that has had the fewest turns, and among equals
// to the one whose last turn is the longest ago. With one connection after the other that is a
// strict rotation. A worker that was busy when its turn came catches up later, but only by
// `max_debt` turns, so that a long pause does not bring a flood.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace prong::core {

class round_robin {
 public:
  static constexpr std::uint64_t max_debt = 256;

  /// A worker joins level with the one that had the most turns; it is not ready yet.
  void join(worker_id id);
  void leave(worker_id id);
  /// The worker has room for one connection. Says so again, and nothing changes.
  void ready(worker_id id);
  /// The worker whose turn it is; it is not ready any more. None if nobody is ready.
  std::optional<worker_id> choose();
  /// The worker did not take the connection of its last turn.
  void give_back(worker_id id);

 private:
  struct place {
    std::uint64_t turns = 0;
    std::uint64_t last = 0;  // when it had its last turn, counted in turns of all
    bool is_ready = false;
  };
  struct entry {
    std::uint64_t turns;
    std::uint64_t last;
    worker_id id;
  };
  static bool later(entry const& left, entry const& right) noexcept;

  std::unordered_map<worker_id, place> places_;
  std::vector<entry> heap_;  // the ready workers, first turn on top
  std::uint64_t most_turns_ = 0;
  std::uint64_t now_ = 0;
};

}  // namespace prong::core
