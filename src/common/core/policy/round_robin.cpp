// Round robin among the workers that have room.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/round_robin.hpp"

#include "common/core/assert.hpp"

#include <algorithm>
#include <tuple>

namespace prong::core {

bool round_robin::later(entry const& left, entry const& right) noexcept {
  return std::tie(left.turns, left.last, left.id) > std::tie(right.turns, right.last, right.id);
}

void round_robin::join(worker_id id) {
  bool const added = places_.try_emplace(id, place{most_turns_, now_++}).second;
  PRONG_ASSERT(added, "a worker joins once");
}

void round_robin::leave(worker_id id) {
  auto const at = places_.find(id);
  PRONG_ASSERT(at != places_.end(), "who leaves has joined");
  if (at->second.is_ready) {
    std::erase_if(heap_, [id](entry const& each) { return each.id == id; });
    std::make_heap(heap_.begin(), heap_.end(), later);
  }
  places_.erase(at);
}

void round_robin::ready(worker_id id) {
  auto& at = places_.at(id);
  if (at.is_ready) return;
  if (at.turns + max_debt < most_turns_) at.turns = most_turns_ - max_debt;
  at.is_ready = true;
  heap_.push_back({at.turns, at.last, id});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

std::optional<worker_id> round_robin::choose() {
  if (heap_.empty()) return std::nullopt;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  auto const chosen = heap_.back().id;
  heap_.pop_back();
  auto& at = places_.at(chosen);
  at.is_ready = false;
  most_turns_ = std::max(most_turns_, ++at.turns);
  at.last = now_++;
  return chosen;
}

void round_robin::give_back(worker_id id) {
  auto const at = places_.find(id);
  if (at != places_.end() && !at->second.is_ready && at->second.turns > 0) --at->second.turns;
}

}  // namespace prong::core
