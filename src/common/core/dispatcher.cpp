// Hands the connections of one listener to the workers that accept on it.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/dispatcher.hpp"

#include "common/core/assert.hpp"
#include "common/wire/control.hpp"

#include <algorithm>
#include <utility>

namespace prong::core {

void dispatcher::join(worker_id id, std::size_t slot, acceptor_id acceptor) {
  auto& joined = members_[id];
  PRONG_ASSERT(!joined.accepting, "one acceptor of a worker on a listener");
  joined.acceptor = acceptor;
  joined.accepting = true;
  ++accepting_;
  policy_->join(id, slot);
}

void dispatcher::stop_accepting(members::iterator at) {
  if (!std::exchange(at->second.accepting, false)) return;
  at->second.credits = 0;
  --accepting_;
  policy_->leave(at->first);
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

std::size_t dispatcher::lost(worker_id id) {
  auto const unanswered = take_offers(id);
  policy_->returned(unanswered);
  return unanswered.size();
}

std::vector<connection_id> dispatcher::abandoned(worker_id id) {
  std::vector<connection_id> connections;
  for (auto const& each : take_offers(id)) connections.push_back(each.connection);
  return connections;
}

std::vector<arrival> dispatcher::take_offers(worker_id id) {
  auto const at = members_.find(id);
  if (at == members_.end()) return {};
  stop_accepting(at);
  auto unanswered = std::move(at->second.offered);
  offered_ -= unanswered.size();
  members_.erase(at);
  return unanswered;
}

bool dispatcher::grant(worker_id id, acceptor_id acceptor, std::uint32_t count,
                       std::uint32_t open) {
  auto const at = members_.find(id);
  // A credit that crosses the end of its acceptor, or of its listener, is worth nothing.
  if (at == members_.end() || !at->second.accepting || at->second.acceptor != acceptor) return true;
  if (count > wire::max_credits || at->second.credits + count > wire::max_credits) return false;
  at->second.credits += count;
  at->second.is_silent = false;
  at->second.looks = 0;
  policy_->load(id, open + at->second.offered.size());
  has_room(at);
  return true;
}

void dispatcher::has_room(members::iterator at) {
  auto& [id, one] = *at;
  if (!has_credit(one)) return;
  if (one.offered.empty())
    policy_->ready(id);
  else if (!std::exchange(one.is_listed, true))
    spare_.push_back(id);
}

bool dispatcher::lend() {
  bool any = false;
  for (auto const id : spare_) {
    auto const at = members_.find(id);
    if (at == members_.end()) continue;
    at->second.is_listed = false;
    if (!has_credit(at->second)) continue;
    policy_->ready(id);
    any = true;
  }
  spare_.clear();
  return any;
}

std::optional<arrival> dispatcher::answered(members::iterator at, connection_id connection) {
  if (at == members_.end()) return std::nullopt;
  auto& offered = at->second.offered;
  auto const found = std::ranges::find(offered, connection, &arrival::connection);
  if (found == offered.end()) return std::nullopt;
  auto const what = *found;
  offered.erase(found);
  --offered_;
  at->second.looks = 0;
  return what;
}

bool dispatcher::took(worker_id id, connection_id connection) {
  auto const at = members_.find(id);
  if (!answered(at, connection)) return false;
  if (at->second.offered.empty()) has_room(at);
  erase_if_done(at);
  return true;
}

bool dispatcher::refused(worker_id id, connection_id connection) {
  auto const at = members_.find(id);
  auto const what = answered(at, connection);
  if (!what) return false;
  policy_->give_back(id);
  policy_->returned({&*what, 1});
  erase_if_done(at);
  return true;
}

std::vector<worker_id> dispatcher::silent() {
  bool const somebody_is_idle = std::ranges::any_of(members_, [](auto const& each) {
    return has_credit(each.second) && each.second.offered.empty();
  });
  std::vector<worker_id> found;
  for (auto& [id, one] : members_) {
    if (one.offered.empty() || ++one.looks < 2 || !somebody_is_idle) continue;
    one.is_silent = true;
    found.push_back(id);
  }
  return found;
}

std::size_t dispatcher::recalled(worker_id id) {
  auto const at = members_.find(id);
  if (at == members_.end() || at->second.offered.empty()) return 0;
  auto const unanswered = std::exchange(at->second.offered, {});
  at->second.is_silent = true;
  offered_ -= unanswered.size();
  for (std::size_t count = 0; count < unanswered.size(); ++count) policy_->give_back(id);
  policy_->returned(unanswered);
  erase_if_done(at);
  return unanswered.size();
}

std::optional<dispatcher::offer> dispatcher::next() {
  auto turn = policy_->next();
  if (!turn && pending() > 0 && lend()) turn = policy_->next();
  if (!turn) return std::nullopt;
  auto const at = members_.find(turn->to);
  PRONG_ASSERT(at != members_.end() && at->second.accepting && at->second.credits > 0, "I6");
  if (at->second.offered.empty()) at->second.looks = 0;
  at->second.offered.push_back(turn->what);
  ++offered_;
  --at->second.credits;
  has_room(at);
  return offer{turn->to, at->second.acceptor, turn->what.connection, pending() > 0};
}

bool dispatcher::accepts(worker_id id) const noexcept {
  auto const at = members_.find(id);
  return at != members_.end() && at->second.accepting;
}

}  // namespace prong::core
