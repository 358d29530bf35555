// The simulated world: processes, each with its own io_context, on the simulated operating system.
// One step is one handler of one process, or one thing that the system does. Which comes next is
// drawn, and nothing else decides the order.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sim/backend.hpp"
#include "sim/model.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace prong::sim {

/// What a process runs. Its destruction is the process's end, orderly or not.
class resident {
 public:
  virtual ~resident() = default;
  virtual bool wants_exit() const { return false; }
};

class world {
 public:
  using start = std::function<std::unique_ptr<resident>(process&, asio::io_context&)>;

  explicit world(choices& from) : os(from, rules) {}
  world(world const&) = delete;
  world& operator=(world const&) = delete;
  ~world();

  /// Starts a process at once.
  process& run(std::uint32_t worker, start const& what);
  /// What workers run whose process the primary spawns.
  void spawned_run(start what) { spawned_ = std::move(what); }

  /// Lets one thing happen. False if nothing can, at this time.
  bool step();
  /// For who chooses himself: does all that needs no choice, and counts what may come next.
  /// No choice need the primary's handlers, writes, births and reports of exits.
  std::size_t count_possible();
  /// Lets the one of this number happen.
  void happen(std::size_t number);
  /// Moves the clock to when something wakes. False if nothing does until `limit`.
  bool advance(time_point limit);
  /// Ends a process: its handlers run no more, and what it has is closed.
  void end(process& who, int status, int signal);
  bool runs(process const& who) const { return hosts_.count(who.id) > 0; }
  resident* body(process const& who);
  /// Calls `what` as if `who` did it.
  template <class Call>
  void as(process& who, Call&& what) {
    system::running_guard const guard(who);
    who.ready = true;
    what();
  }
  /// The workers whose program runs.
  std::vector<process*> workers();
  /// The living processes but this one.
  std::vector<process*> others(process const& than);

  model rules;
  system os;
  std::uint64_t steps = 0;

 private:
  struct host {
    std::unique_ptr<asio::io_context> io = std::make_unique<asio::io_context>(1);
    std::unique_ptr<resident> body{};
  };
  enum class kind { handler, write, read, accept, report, birth, death };
  struct possible {
    kind is;
    process* who;
    channel_end* end = nullptr;
    accept_wait* listener = nullptr;
  };

  void collect();
  bool needs_no_choice(possible const& one) const;
  bool perform(possible const& one);
  bool run_handler(process& who);
  bool is_busy(process const& who) const { return who.stays_until > os.now; }

  std::map<process_id, host> hosts_;
  start spawned_;
  std::vector<possible> possible_;
};

}  // namespace prong::sim
