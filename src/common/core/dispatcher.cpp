// Hands the connections of one listener to the workers that accept on it.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/dispatcher.hpp"

#include "common/core/assert.hpp"
#include "common/wire/control.hpp"

#include <algorithm>
#include <utility>

namespace prong::core {

void dispatcher::join(worker_id id, acceptor_id acceptor) {
  auto& joined = members_[id];
  PRONG_ASSERT(!joined.accepting, "one acceptor of a worker on a listener");
  joined.acceptor = acceptor;
  joined.accepting = true;
  ++accepting_;
  policy_.join(id);
}

void dispatcher::stop_accepting(members::iterator at) {
  if (!std::exchange(at->second.accepting, false)) return;
  at->second.credits = 0;
  --accepting_;
  policy_.leave(at->first);
}

void dispatcher::erase_if_done(members::iterator at) {
  if (!at->second.accepting && at->second.offered.empty()) members_.erase(at);
}

void dispatcher::leave(worker_id id) {
  auto const at = members_.find(id);
  if (at == members_.end()) return;
  stop_accepting(at);
  erase_if_done(at);
}

void dispatcher::lost(worker_id id) {
  auto const unanswered = abandoned(id);
  pending_.insert(pending_.begin(), unanswered.begin(), unanswered.end());
}

std::vector<connection_id> dispatcher::abandoned(worker_id id) {
  auto const at = members_.find(id);
  if (at == members_.end()) return {};
  stop_accepting(at);
  auto unanswered = std::move(at->second.offered);
  offered_ -= unanswered.size();
  members_.erase(at);
  return unanswered;
}

bool dispatcher::grant(worker_id id, acceptor_id acceptor, std::uint32_t count) {
  auto const at = members_.find(id);
  // A credit that crosses the end of its acceptor, or of its listener, is worth nothing.
  if (at == members_.end() || !at->second.accepting || at->second.acceptor != acceptor) return true;
  if (count > wire::max_credits || at->second.credits + count > wire::max_credits) return false;
  at->second.credits += count;
  if (at->second.credits > 0) policy_.ready(id);
  return true;
}

bool dispatcher::answered(members::iterator at, connection_id connection) {
  if (at == members_.end()) return false;
  auto& offered = at->second.offered;
  auto const found = std::find(offered.begin(), offered.end(), connection);
  if (found == offered.end()) return false;
  offered.erase(found);
  --offered_;
  return true;
}

bool dispatcher::took(worker_id id, connection_id connection) {
  auto const at = members_.find(id);
  if (!answered(at, connection)) return false;
  erase_if_done(at);
  return true;
}

bool dispatcher::refused(worker_id id, connection_id connection) {
  auto const at = members_.find(id);
  if (!answered(at, connection)) return false;
  pending_.push_front(connection);
  policy_.give_back(id);
  erase_if_done(at);
  return true;
}

std::optional<dispatcher::offer> dispatcher::next() {
  if (pending_.empty()) return std::nullopt;
  auto const chosen = policy_.choose();
  if (!chosen) return std::nullopt;
  auto const at = members_.find(*chosen);
  PRONG_ASSERT(at != members_.end() && at->second.accepting && at->second.credits > 0, "I6");
  auto const connection = pending_.front();
  pending_.pop_front();
  at->second.offered.push_back(connection);
  ++offered_;
  if (--at->second.credits > 0) policy_.ready(*chosen);
  return offer{*chosen, at->second.acceptor, connection};
}

std::vector<connection_id> dispatcher::take_pending() {
  std::vector<connection_id> all(pending_.begin(), pending_.end());
  pending_.clear();
  return all;
}

bool dispatcher::accepts(worker_id id) const noexcept {
  auto const at = members_.find(id);
  return at != members_.end() && at->second.accepting;
}

}  // namespace prong::core
