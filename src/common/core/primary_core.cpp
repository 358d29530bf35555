// The primary's decisions: events in, actions out.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/primary_core.hpp"

#include "common/core/assert.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>

namespace prong::core {

using happening = roster::happening;

primary_core::primary_core(options const& settings, scheduling policy, std::uint_fast32_t seed)
    : limits_{settings.workers, settings.window, settings.start_timeout},
      roster_(settings, actions_),
      listeners_({policy, settings.keep_ports_open.value_or(settings.workers > 0),
                  settings.max_pending_connections, settings.choose_worker,
                  settings.proxy_protocol && goes_by_client(policy), settings.recall_after},
                 actions_),
      pool_(settings.respawn, seed, actions_) {}

// --- What the user wants ------------------------------------------------------------------------

worker_id primary_core::fork() {
  PRONG_ASSERT(!shutting_down_, "the shell refuses to fork during a shutdown");
  auto const id = start_worker(free_slot(), std::nullopt);
  settle();
  return id;
}

void primary_core::run() {
  resize(limits_.workers);
}

void primary_core::resize(std::size_t workers) {
  if (shutting_down_) return;
  while (pool_.size() < workers) pool_.add(free_slot());
  for (auto const id : pool_.shrink(workers)) {
    ask_to_stop(*roster_.find(id));
    // Of a worker and its replacement neither is needed any more. The reload goes on.
    auto const& step = reload_.current();
    if (!step || (step->old != id && step->replacement != id)) continue;
    ask_to_stop(*roster_.find(step->replacement));
    reload_.step_done();
  }
  listeners_.keep_slots([this](std::size_t slot) { return is_in_use(slot); });
  settle();
}

void primary_core::stop(worker_id id) {
  if (auto* const at = roster_.find(id)) ask_to_stop(*at);
  settle();
}

void primary_core::stop_all() {
  pool_.shrink(0);
  abandon_reloads();
  // Nobody is to come: a client had better be refused than wait.
  listeners_.close_all();
  for (auto const& [id, _] : roster_.all()) ask_to_stop(*roster_.find(id));
  settle();
}

std::uint64_t primary_core::reload() {
  auto const number = reload_.request();
  if (shutting_down_) abandon_reloads();
  settle();
  return number;
}

void primary_core::shutdown() {
  shutting_down_ = true;
  stop_all();
}

void primary_core::kill(worker_id id) {
  auto* const at = roster_.find(id);
  if (at && !at->exited) actions_.push(action::kill{id});
}

void primary_core::kill_all() {
  for (auto const& [id, _] : roster_.all()) kill(id);
}

// --- What happened ------------------------------------------------------------------------------

void primary_core::on_time(time_point now) {
  now_ = now;
  listeners_.on_time(now);
  if (now < deadline_) return;
  for (auto const id : roster_.late(now)) roster_.on(*roster_.find(id), happening::deadline, now);
  listeners_.on_deadline();
  pool_.on_time(now);
  settle();
}

void primary_core::on_spawned(worker_id id, process_id process, error_code ec) {
  roster_.on_spawned(*roster_.find(id), process, ec);
  settle();
}

void primary_core::on_control(worker_id id, wire::control const& what) {
  auto& at = *roster_.find(id);
  bool allowed = false;
  bool lifecycle = true;
  if (auto* const credit = std::get_if<wire::credit>(&what)) {
    allowed = listeners_.credit(id, *credit);
    lifecycle = false;
  } else if (auto* const hello = std::get_if<wire::hello>(&what)) {
    allowed = on_hello(at, *hello);
  } else if (auto* const listen = std::get_if<wire::listen>(&what)) {
    // A worker that drains or has ended gets no new port; its acceptor is about to hear of it.
    allowed = at.state != worker_state::online || listeners_.listen(id, at.slot, *listen);
  } else if (auto* const alone = std::get_if<wire::listens_alone>(&what)) {
    allowed = at.state != worker_state::online || listeners_.listens_alone(id, *alone);
  } else if (auto* const unlisten = std::get_if<wire::unlisten>(&what)) {
    allowed = listeners_.unlisten(id, acceptor_id{unlisten->acceptor});
  } else if (std::holds_alternative<wire::stopping>(what)) {
    allowed = on_stopping(at);
  }
  if (!allowed) expel(at, errc::protocol_error);
  if (!allowed || lifecycle) settle();
}

void primary_core::on_took(worker_id id, connection_id connection) {
  if (!listeners_.took(id, connection)) on_link_failed(id, errc::protocol_error);
}

void primary_core::on_refused(worker_id id, connection_id connection) {
  if (!listeners_.refused(id, connection)) on_link_failed(id, errc::protocol_error);
}

bool primary_core::on_hello(roster::worker& at, wire::hello const& what) {
  auto const version = std::min(what.newest, wire::newest_protocol);
  if (version < wire::oldest_protocol || version < what.oldest) {
    expel(at, errc::protocol_mismatch);
    return true;
  }
  if (what.worker != static_cast<std::uint32_t>(at.id)) return false;
  actions_.push(
      action::send{at.id, wire::welcome{version, static_cast<std::uint16_t>(limits_.window)}});
  return roster_.on(at, happening::hello, now_);
}

bool primary_core::on_stopping(roster::worker& at) {
  if (at.state == worker_state::starting) return false;
  roster_.on(at, happening::stop, now_);
  listeners_.drain(at.id, is_in_use(at.slot));
  return true;
}

void primary_core::on_link_failed(worker_id id, error_code why) {
  expel(*roster_.find(id), why);
  settle();
}

void primary_core::on_link_closed(worker_id id) {
  auto* const found = roster_.find(id);
  // It may end by itself before our decision to cut it is carried out.
  if (!found || found->link_closed) return;
  auto& at = *found;
  // When we cut a link, nobody knows what the worker has taken. To offer those connections again
  // could serve one twice (I2).
  listeners_.link_closed(id, !at.link_cut);
  roster_.on(at, happening::link_closed, now_);
  settle();
}

void primary_core::on_exited(worker_id id, int status, int signal) {
  auto& at = *roster_.find(id);
  at.status = status;
  at.signal = signal;
  roster_.on(at, happening::exited, now_);
  settle();
}

void primary_core::on_listener_opened(listener_id id, error_code ec, endpoint const& bound) {
  listeners_.on_opened(id, ec, bound);
  settle();
}

void primary_core::on_connection(listener_id id, arrival const& what) {
  listeners_.on_connection(id, what, now_);
}

void primary_core::on_proxy_header(listener_id id, connection_id connection,
                                   proxy_header const& seen) {
  if (listeners_.on_proxy_header(id, connection, seen, now_)) find_deadline();
}

void primary_core::on_accept_failed(listener_id id) {
  listeners_.on_accept_failed(id, now_);
  settle();
}

// --- What follows from it -----------------------------------------------------------------------

worker_id primary_core::start_worker(std::size_t slot, std::optional<worker_id> like) {
  auto const id = roster_.add(slot, now_).id;
  actions_.push(action::spawn{id, like});
  return id;
}

// The lowest that no worker has which serves, and that the pool has not promised to another.
std::size_t primary_core::free_slot() const {
  std::size_t slot = 0;
  while (is_in_use(slot)) ++slot;
  return slot;
}

void primary_core::ask_to_stop(roster::worker& at) {
  roster_.on(at, happening::stop, now_);
  listeners_.drain(at.id, is_in_use(at.slot));
}

void primary_core::expel(roster::worker& at, error_code why) {
  roster_.expel(at, why);
}

void primary_core::settle() {
  remove_gone();
  continue_reload();
  fill_pool();
  if (shutting_down_ && !finished_ && roster_.empty()) {
    finished_ = true;
    actions_.push(action::finished{});
  }
  find_deadline();
}

void primary_core::find_deadline() {
  deadline_ = std::min({roster_.next_deadline(), listeners_.next_deadline(), pool_.next_deadline(),
                        reload_.current() ? reload_.current()->deadline : never});
}

void primary_core::remove_gone() {
  std::vector<worker_id> gone;
  for (auto const& [id, each] : roster_.all())
    if (each.gone()) gone.push_back(id);
  for (auto const id : gone) {
    auto const& at = *roster_.find(id);
    auto const& step = reload_.current();
    // If the worker that a reload replaces dies first, its replacement is what the slot has.
    if (step && step->old == id) pool_.replace(id, step->replacement);
    pool_.on_gone(id, at.deliberate, now_ - at.started, now_);
    roster_.remove(id);
  }
}

void primary_core::fill_pool() {
  while (pool_.wants_worker(now_)) pool_.fill(start_worker(pool_.next_slot(), std::nullopt));
}

void primary_core::continue_reload() {
  for (;;) {
    if (!reload_.active()) {
      std::vector<worker_id> old;
      for (auto const& [id, each] : roster_.all())
        if (each.serves()) old.push_back(id);
      if (!reload_.begin(old)) return;
      pool_.revive();
    }
    if (auto const& step = reload_.current()) {
      if (step_failed()) continue;
      auto const* const next = roster_.find(step->replacement);
      if (next->state != worker_state::online || listeners_.listening(next->id) < step->listeners)
        return;  // not ready yet
      pool_.replace(step->old, step->replacement);
      if (auto* const old = roster_.find(step->old)) ask_to_stop(*old);
      reload_.step_done();
    }
    if (!replace_next()) end_reload({});
  }
}

// A reload ends with the first replacement that fails; the old worker stays.
bool primary_core::step_failed() {
  auto const& step = *reload_.current();
  auto* const next = roster_.find(step.replacement);
  if (!next || !next->serves()) {
    bool const late = next && next->failure == errc::start_timeout;
    end_reload(late ? errc::start_timeout : errc::replacement_failed);
    return true;
  }
  if (now_ < step.deadline) return false;
  expel(*next, errc::start_timeout);
  end_reload(errc::start_timeout);
  return true;
}

bool primary_core::replace_next() {
  while (auto const id = reload_.next_old()) {
    auto const* const old = roster_.find(*id);
    if (!old || !old->serves()) continue;  // it went by itself
    auto const needed = listeners_.listening(*id);
    auto const replacement = start_worker(old->slot, *id);
    reload_.set_step({*id, replacement, needed, now_ + limits_.start_timeout});
    return true;
  }
  return false;
}

void primary_core::end_reload(error_code result) {
  actions_.push(action::reload_finished{reload_.end(), result});
}

void primary_core::abandon_reloads() {
  actions_.push(action::reload_finished{reload_.abandon(), asio::error::operation_aborted});
}

bool primary_core::serves(worker_id id) const {
  auto const* const at = roster_.find(id);
  return at && at->serves();
}

std::vector<worker_info> primary_core::workers() const {
  std::vector<worker_info> all;
  for (auto const& [id, each] : roster_.all())
    all.push_back({id, each.process, each.state, listeners_.endpoints(id), each.slot});
  return all;
}

}  // namespace prong::core
