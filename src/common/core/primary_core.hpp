// The primary's decisions: events in, actions out. The same calls give the same actions; there is
// no clock, no socket and no thread here.
//
// Every call happens at the time of the last `on_time`. After each call the shell carries out
// `next_action` until there is none, and waits until `next_deadline`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/action.hpp"
#include "common/core/listeners.hpp"
#include "common/core/pool.hpp"
#include "common/core/rolling_reload.hpp"
#include "common/core/roster.hpp"

#include <prong/options.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace prong::core {

class primary_core {
 public:
  /// `policy`: the scheduling, with defaults and environment already applied.
  primary_core(options const& settings, scheduling policy, std::uint_fast32_t seed);

  // What the user wants.
  worker_id fork();
  void run();
  void resize(std::size_t workers);
  void stop(worker_id id);
  void stop_all();
  std::uint64_t reload();
  void shutdown();
  void kill(worker_id id);
  void kill_all();

  // What happened.
  void on_time(time_point now);
  void on_spawned(worker_id id, process_id process, error_code ec);
  void on_control(worker_id id, wire::control const& what);
  /// The worker's answers to an offer.
  void on_took(worker_id id, connection_id connection);
  void on_refused(worker_id id, connection_id connection);
  /// The worker sent what is no frame, or the system cannot carry frames to it: it is ended.
  void on_link_failed(worker_id id, error_code why);
  void on_link_closed(worker_id id);
  void on_recalled(worker_id id) { listeners_.recalled(id); }
  void on_exited(worker_id id, int status, int signal);
  void on_listener_opened(listener_id id, error_code ec, endpoint const& bound);
  void on_connection(listener_id id, arrival const& what);
  void on_proxy_header(listener_id id, connection_id connection, proxy_header const& seen);
  void on_accept_failed(listener_id id);

  // What to do about it.
  std::optional<any_action> next_action() { return actions_.pop(); }
  time_point next_deadline() const noexcept {
    return std::min(deadline_, listeners_.recall_deadline());
  }

  bool shutting_down() const noexcept { return shutting_down_; }
  bool no_workers() const noexcept { return roster_.empty(); }
  bool serves(worker_id id) const;
  bool knows(worker_id id) const { return roster_.find(id) != nullptr; }
  std::vector<worker_info> workers() const;
  listeners const& ports() const noexcept { return listeners_; }

 private:
  bool on_hello(roster::worker& at, wire::hello const& what);
  bool on_stopping(roster::worker& at);
  worker_id start_worker(std::size_t slot, std::optional<worker_id> like);
  std::size_t free_slot() const;
  /// Whether a worker has the slot, or will.
  bool is_in_use(std::size_t slot) const { return roster_.uses(slot) || pool_.has(slot); }
  void ask_to_stop(roster::worker& at);
  void expel(roster::worker& at, error_code why);
  /// Does what follows from a change in somebody's life: removes who is gone, fills the pool, goes
  /// on with a reload or a shutdown, and finds the next deadline.
  void settle();
  void find_deadline();
  void remove_gone();
  void fill_pool();
  void continue_reload();
  bool replace_next();
  bool step_failed();
  void end_reload(error_code result);
  void abandon_reloads();

  struct limits {
    std::size_t workers;
    std::size_t window;
    duration start_timeout;
  };

  limits limits_;
  action_queue actions_;
  roster roster_;
  listeners listeners_;
  pool pool_;
  rolling_reload reload_;
  time_point now_ = time_point::min();
  time_point deadline_ = never;
  bool shutting_down_ = false;
  bool finished_ = false;
};

}  // namespace prong::core
