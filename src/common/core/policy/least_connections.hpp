// The worker with the fewest connections, among those that have room; among equals the one whose
// last turn is the longest ago.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

namespace prong::core {

class least_connections {
 public:
  /// A worker joins with no connections; it is not ready yet.
  void join(worker_id id);
  void leave(worker_id id);
  /// The worker has room for one connection. Says so again, and nothing changes.
  void ready(worker_id id);
  /// It has this many.
  void load(worker_id id, std::uint64_t connections);
  /// Whose turn it is, who has one more by that, and is not ready any more. None if nobody is.
  std::optional<worker_id> choose();
  /// The worker did not take the connection of its last turn.
  void give_back(worker_id id);

 private:
  struct entry {
    std::uint64_t connections = 0;
    std::uint64_t last = 0;  // when it had its last turn, counted in turns of all
    worker_id id{};
    friend bool operator<(entry const& left, entry const& right) noexcept {
      return std::tie(left.connections, left.last, left.id) <
             std::tie(right.connections, right.last, right.id);
    }
  };
  using order = std::set<entry>;
  // The node moves between here and the order, so that nothing is allocated for a connection.
  struct place {
    order::iterator at;           // while it is ready
    order::node_type aside = {};  // while it is not
    bool is_ready() const noexcept { return aside.empty(); }
  };
  void change(place& which, std::uint64_t connections);

  order ready_;
  std::unordered_map<worker_id, place> places_;
  std::uint64_t now_ = 0;
};

}  // namespace prong::core
