// The user's function says which worker gets a connection.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/by_function.hpp"

#include <algorithm>

namespace prong::core {

void by_function::join(worker_id id, std::size_t slot) {
  workers_.emplace(id, candidate{id, slot, 0});
}

void by_function::leave(worker_id id) {
  workers_.erase(id);
  if (auto const at = find_ready(id); at != ready_.end()) ready_.erase(at);
}

std::vector<candidate>::iterator by_function::find_ready(worker_id id) {
  return std::ranges::find(ready_, id, &candidate::id);
}

void by_function::ready(worker_id id) {
  if (find_ready(id) != ready_.end()) return;
  ready_.push_back(workers_.at(id));
  asked_ = 0;
}

void by_function::count(worker_id id, std::size_t connections) {
  workers_.at(id).connections = connections;
  auto const at = find_ready(id);
  if (at == ready_.end() || at->connections == connections) return;
  at->connections = connections;
  asked_ = 0;
}

void by_function::load(worker_id id, std::uint64_t connections) {
  count(id, static_cast<std::size_t>(connections));
}

void by_function::give_back(worker_id id) {
  auto const at = workers_.find(id);
  if (at != workers_.end() && at->second.connections > 0) count(id, at->second.connections - 1);
}

void by_function::returned(std::span<arrival const> what) {
  pending_.push_front(what);
  asked_ = 0;
}

std::optional<policy::turn> by_function::next() {
  for (; asked_ < pending_.size() && !ready_.empty(); ++asked_) {
    auto const chosen = choose_(pending_[asked_].from, ready_);
    auto const at = chosen ? find_ready(*chosen) : ready_.end();
    if (at == ready_.end()) continue;
    ready_.erase(at);
    ++workers_.at(*chosen).connections;
    return turn{*chosen, pending_.take(asked_)};
  }
  return std::nullopt;
}

std::vector<connection_id> by_function::take_pending() {
  asked_ = 0;
  return pending_.take_all();
}

}  // namespace prong::core
