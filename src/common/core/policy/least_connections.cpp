// The worker with the fewest connections, among those that have room.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/least_connections.hpp"

#include "common/core/assert.hpp"

#include <utility>

namespace prong::core {

void least_connections::join(worker_id id) {
  PRONG_ASSERT(places_.count(id) == 0, "a worker joins once");
  auto const at = ready_.insert(entry{0, now_++, id}).first;
  places_.emplace(id, place{at, ready_.extract(at)});
}

void least_connections::leave(worker_id id) {
  auto const found = places_.find(id);
  PRONG_ASSERT(found != places_.end(), "who leaves has joined");
  if (found->second.is_ready()) ready_.erase(found->second.at);
  places_.erase(found);
}

void least_connections::ready(worker_id id) {
  auto& at = places_.at(id);
  if (!at.is_ready()) at.at = ready_.insert(std::move(at.aside)).position;
}

void least_connections::change(place& which, std::uint64_t connections) {
  if (!which.is_ready()) {
    which.aside.value().connections = connections;
  } else if (which.at->connections != connections) {
    auto node = ready_.extract(which.at);
    node.value().connections = connections;
    which.at = ready_.insert(std::move(node)).position;
  }
}

void least_connections::load(worker_id id, std::uint64_t connections) {
  change(places_.at(id), connections);
}

std::optional<worker_id> least_connections::choose() {
  if (ready_.empty()) return std::nullopt;
  auto const chosen = ready_.begin()->id;
  auto& at = places_.at(chosen);
  at.aside = ready_.extract(ready_.begin());
  ++at.aside.value().connections;
  at.aside.value().last = now_++;
  return chosen;
}

void least_connections::give_back(worker_id id) {
  auto const found = places_.find(id);
  if (found == places_.end()) return;
  auto& at = found->second;
  auto const connections = at.is_ready() ? at.at->connections : at.aside.value().connections;
  if (connections > 0) change(at, connections - 1);
}

}  // namespace prong::core
