// The workers, and the life of each as the primary sees it.
//
//    add            hello                  stop
//   ─────▶ starting ─────▶ online ─────────────────▶ draining
//             │              │                          │
//             │ link closed, or process exited          │ process exited
//             └──────────────┴───────▶ ending ◀─────────┘
//
// A worker is gone when its process has exited and its link has closed, in either order; then,
// and only then, `worker_exited` is reported (I5). Who is late is killed: to say hello, to drain,
// to end after its link has closed.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/action.hpp"
#include "common/core/types.hpp"

#include <prong/options.hpp>

#include <map>
#include <vector>

namespace prong::core {

class roster {
 public:
  enum class happening { hello, stop, link_closed, exited, deadline };

  struct worker {
    worker_id id{};
    std::size_t slot = 0;
    process_id process = 0;
    worker_state state = worker_state::starting;
    time_point started{};
    time_point deadline = never;
    bool deliberate = false;  // it was asked to go, or asked itself
    bool exited = false;
    bool link_closed = false;
    bool link_cut = false;  // unread: what it had answered last is unknown
    int status = 0;
    int signal = 0;
    error_code failure{};  // why we ended it

    bool gone() const noexcept { return exited && link_closed; }
    /// It works, or is about to.
    bool serves() const noexcept {
      return (state == worker_state::starting || state == worker_state::online) && !link_cut;
    }
  };

  roster(options const& limits, action_queue& actions)
      : start_timeout_(limits.start_timeout),
        stop_timeout_(limits.stop_timeout),
        actions_(actions) {}

  /// A new worker, whose process is about to be started.
  worker& add(std::size_t slot, time_point now);
  /// Whether a worker that serves has this slot.
  bool uses(std::size_t slot) const;
  worker* find(worker_id id);
  worker const* find(worker_id id) const;
  void on_spawned(worker& at, process_id process, error_code ec);
  /// The one way in which a worker's state changes. False if the worker broke the protocol.
  bool on(worker& at, happening what, time_point now);
  /// We end this worker, because of `why`: its link is cut and its process killed.
  void expel(worker& at, error_code why);
  /// Takes note that the worker is gone.
  void remove(worker_id id);

  std::vector<worker_id> late(time_point now) const;
  time_point next_deadline() const;
  bool empty() const noexcept { return workers_.empty(); }
  std::map<worker_id, worker> const& all() const noexcept { return workers_; }

 private:
  using step = bool (roster::*)(worker&, time_point);
  static step const table[4][5];

  bool go_online(worker& at, time_point now);
  bool drain(worker& at, time_point now);
  bool note_stop(worker& at, time_point now);
  bool end_link(worker& at, time_point now);
  bool end_process(worker& at, time_point now);
  bool kill_late(worker& at, time_point now);
  bool ignore(worker& at, time_point now);
  bool violate(worker& at, time_point now);
  bool impossible(worker& at, time_point now);

  duration start_timeout_;
  duration stop_timeout_;
  action_queue& actions_;
  std::map<worker_id, worker> workers_;
  std::uint32_t last_id_ = 0;
};

}  // namespace prong::core
