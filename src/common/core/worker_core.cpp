// The worker's decisions: the mirror of the primary's.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/worker_core.hpp"

#include "common/core/assert.hpp"
#include "common/core/convert.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <set>
#include <utility>

namespace prong::core {

namespace act = worker_action;

worker_core::worker_core(worker_id id, process_id self) {
  wire::hello greeting;
  greeting.worker = static_cast<std::uint32_t>(id);
  greeting.process = self;
  push(act::send{greeting});
}

// --- What the program wants ---------------------------------------------------------------------

acceptor_id worker_core::add_acceptor() {
  acceptor_id const id{++last_acceptor_};
  acceptors_[id];
  return id;
}

void worker_core::listen(acceptor_id id, listen_request const& what) {
  auto& at = acceptors_.at(id);
  if (stopping_ || at.at != phase::idle) return;
  at.request = what;
  at.index = can_be_repeated(what) ? free_index(what) : 0;
  at.at = phase::asked;
  push(act::send{to_wire(id, what, at.index)});
}

void worker_core::listens_alone(acceptor_id id, endpoint const& where, error_code result) {
  if (stopping_) return;
  auto& at = acceptors_.at(id);
  at.at = result ? phase::idle : phase::listening;
  at.shared = true;
  push(act::send{
      wire::listens_alone{static_cast<std::uint64_t>(id), to_wire(where), to_wire(result)}});
}

// The n-th acceptor of each worker on port 0 shares one port. An acceptor that was closed makes
// its place free, so that whoever listens again meets its siblings again.
std::uint32_t worker_core::free_index(listen_request const& what) const {
  std::set<std::uint32_t> used;
  for (auto const& [_, each] : acceptors_)
    if (each.at != phase::idle && each.request.where == what.where &&
        each.request.any_address == what.any_address)
      used.insert(each.index);
  std::uint32_t index = 0;
  while (used.count(index) > 0) ++index;
  return index;
}

void worker_core::close(acceptor_id id) {
  auto const found = acceptors_.find(id);
  if (found == acceptors_.end()) return;
  refuse_held(found->second);
  if (found->second.at != phase::idle && !stopping_)
    push(act::send{wire::unlisten{static_cast<std::uint64_t>(id)}});
  granted_ -= found->second.granted;
  acceptors_.erase(found);
}

void worker_core::accept_waits(acceptor_id id) {
  auto& at = acceptors_.at(id);
  ++at.waiting;
  if (at.held.empty()) {
    want_turn();
    return;
  }
  auto const first = at.held.front();
  at.held.pop_front();
  take(id, at, first);
}

void worker_core::accept_cancelled(acceptor_id id) {
  auto& at = acceptors_.at(id);
  PRONG_ASSERT(at.waiting > 0, "only what waits is cancelled");
  --at.waiting;
}

void worker_core::count(acceptor_id id, std::size_t open, std::size_t room, bool turns_away) {
  auto& at = acceptors_.at(id);
  bool const more = room > at.room;
  at.open = static_cast<std::uint32_t>(std::min<std::size_t>(open, UINT32_MAX));
  at.room = room;
  at.turns_away = turns_away;
  if ((more && at.waiting > 0) || at.has_news()) want_turn();
}

void worker_core::stop() {
  if (std::exchange(stopping_, true)) return;
  for (auto& [_, each] : acceptors_) refuse_held(each);
  push(act::send{wire::stopping{}});
  push(act::begin_drain{});
}

// --- What happened ------------------------------------------------------------------------------

bool worker_core::on_control(wire::control const& what, bool has_socket) {
  if (auto* const offer = std::get_if<wire::offer>(&what))
    on_offer(*offer, has_socket);
  else if (auto* const welcome = std::get_if<wire::welcome>(&what))
    window_ = window(welcome->window);
  else if (auto* const listening = std::get_if<wire::listening>(&what))
    on_listening(*listening, has_socket);
  else if (auto* const failed = std::get_if<wire::listen_failed>(&what))
    on_listen_failed(*failed);
  else if (std::holds_alternative<wire::stop>(what))
    stop();
  else
    return false;
  return true;
}

void worker_core::on_offer(wire::offer const& what, bool has_socket) {
  connection_id const connection{what.connection};
  more_waited_ = more_waited_ || what.more_wait;
  auto const found = acceptors_.find(acceptor_id{what.acceptor});
  if (stopping_) {
    push(act::drop{connection});  // unanswered: the end of the link tells the primary
    return;
  }
  if (found == acceptors_.end()) {
    push(act::refuse{connection});
    return;
  }
  auto& at = found->second;
  use_credit(at);
  if (!has_socket) {
    // This process has no descriptor left. Others may have; and to ask again at once would spin.
    if (!std::exchange(starved_, true)) push(act::request_pause{});
    refuse(at, connection);
  } else if (at.room == 0) {
    at.turns_away ? turn_away(found->first, at, connection) : refuse(at, connection);
  } else if (at.waiting > 0) {
    take(found->first, at, connection);
  } else {
    at.held.push_back(connection);
    want_turn();
  }
}

void worker_core::take(acceptor_id id, acceptor& at, connection_id connection) {
  --at.waiting;
  at.unannounced = at.takes = true;
  push(act::deliver{id, connection});
  want_turn();
}

void worker_core::turn_away(acceptor_id id, acceptor& at, connection_id connection) {
  at.unannounced = true;
  push(act::turn_away{id, connection});
  want_turn();
}

// The primary, which perhaps has recalled this offer, is to hear that there is life in this worker.
void worker_core::refuse(acceptor& at, connection_id connection) {
  at.unannounced = true;
  push(act::refuse{connection});
  want_turn();
}

// The youngest first: the primary puts each in front of those that wait.
void worker_core::refuse_held(acceptor& at) {
  for (auto each = at.held.rbegin(); each != at.held.rend(); ++each) refuse(at, *each);
  at.held.clear();
}

void worker_core::on_listening(wire::listening const& what, bool has_socket) {
  acceptor_id const id{what.acceptor};
  auto const found = acceptors_.find(id);
  if (found == acceptors_.end() || stopping_) return;  // closed meanwhile
  if (what.shared && !has_socket) {
    // This process has no descriptor left. The primary must not count on it here.
    push(act::send{wire::unlisten{what.acceptor}});
    end_listening(id, found->second, asio::error::no_descriptors);
    return;
  }
  found->second.at = phase::listening;
  found->second.shared = what.shared;
  found->second.reports = what.reports;
  push(act::listened{id, {}, from_wire(what.endpoint), what.shared, what.queue});
  want_turn();
}

void worker_core::on_listen_failed(wire::listen_failed const& what) {
  acceptor_id const id{what.acceptor};
  auto const found = acceptors_.find(id);
  if (found == acceptors_.end() || stopping_) return;
  end_listening(id, found->second, from_wire(what.why));
}

void worker_core::end_listening(acceptor_id id, acceptor& at, error_code why) {
  at.at = phase::idle;
  at.waiting = 0;  // the failure ends them all
  push(act::listened{id, why, at.request.where, false});
}

void worker_core::use_credit(acceptor& at) {
  if (at.granted > 0) --at.granted, --granted_;
}

// Whoever recalls thinks that this worker is blocked, until it says something.
void worker_core::on_recalled(acceptor_id id) {
  auto const found = acceptors_.find(id);
  if (found == acceptors_.end()) return;
  use_credit(found->second);
  found->second.unannounced = true;
  want_turn();
}

void worker_core::not_delivered(acceptor_id id) {
  if (auto const found = acceptors_.find(id); found != acceptors_.end()) accept_waits(id);
}

void worker_core::want_turn() {
  if (turn_wanted_ || stopping_) return;
  turn_wanted_ = true;
  push(act::request_turn{});
}

void worker_core::on_turn(std::chrono::nanoseconds lasted) {
  turn_wanted_ = false;
  window_.on_turn(lasted, std::exchange(more_waited_, false));
  if (stopping_) return;
  for (auto& [id, each] : acceptors_) {
    if (each.at != phase::listening || each.shared) continue;
    if (!each.held.empty() && each.takes) {
      // The program takes one after the other: all are answered together.
      each.takes = false;
      want_turn();
      continue;
    }
    each.takes = false;
    if (each.waiting == 0) refuse_held(each);
    auto const count = starved_ ? 0 : grant(each);
    if (count == 0 && !each.has_news()) continue;
    each.reported = each.open;
    each.unannounced = false;
    push(act::send{wire::credit{static_cast<std::uint64_t>(id), count, each.open}});
  }
}

// How many more it asks for now.
std::uint32_t worker_core::grant(acceptor& to) {
  if (to.waiting == 0) return 0;
  auto room = std::max(window_.size(), to.waiting);
  if (!to.turns_away) room = std::min(room, to.room);
  if (to.granted >= room) return 0;
  auto const count = std::min(room - to.granted, wire::max_credits - granted_);
  to.granted += count;
  granted_ += count;
  return static_cast<std::uint32_t>(count);
}

void worker_core::on_recovered() {
  starved_ = false;
  want_turn();
}

}  // namespace prong::core
