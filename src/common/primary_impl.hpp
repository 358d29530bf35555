// The primary's shell: it owns processes, links, listeners and connections, tells the core what
// happens to them, and does what the core decides.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/connection_table.hpp"
#include "common/core/primary_core.hpp"
#include "common/event_queue.hpp"
#include "common/link.hpp"
#include "common/os/clock.hpp"
#include "common/os/datagrams.hpp"
#include "common/os/listener.hpp"
#include "common/os/process.hpp"
#include "common/output_reader.hpp"
#include "common/waiting_list.hpp"

#include <prong/event.hpp>
#include <prong/message.hpp>
#include <prong/options.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace prong::detail {

class primary_impl : public std::enable_shared_from_this<primary_impl> {
 public:
  /// `base`: the program that workers run, if the options do not say otherwise. Those, and what
  /// `fork` and `setup` get, have been prepared. `policy`: as for primary_core.
  primary_impl(asio::any_io_executor executor, options settings, os::program base,
               scheduling policy, std::uint_fast32_t seed);
  ~primary_impl();
  /// Kills and reaps all workers, and ends everything.
  void close();

  asio::any_io_executor const& executor() const noexcept { return executor_; }
  options const& settings() const noexcept { return settings_; }
  core::primary_core const& decisions() const noexcept { return core_; }
  std::size_t connections() const noexcept { return connections_.size(); }

  void setup(fork_options changes, error_code& ec);
  worker_id fork(fork_options settings, error_code& ec);
  void kill(worker_id id, error_code& ec);
  void resize(std::size_t workers);

  void run(handler<void(error_code)> completion);
  void next_event(handler<void(error_code, event)> completion);
  void send(worker_id to, message what, handler<void(error_code)> completion);
  void disconnect(worker_id id, handler<void(error_code)> completion);
  void disconnect_all(handler<void(error_code)> completion);
  void reload(handler<void(error_code)> completion);
  void shutdown(handler<void(error_code)> completion);

 private:
  using operations = waiting_list<void(error_code)>;
  struct worker_entry {
    worker_entry(asio::any_io_executor const& executor, fork_options own)
        : settings(std::move(own)), disconnects(executor) {}
    fork_options settings;          // its own
    std::shared_ptr<link> channel;  // none before its process was started
    std::optional<os::process> process;
    std::array<std::shared_ptr<output_reader>, 2> outputs;  // by output_stream
    std::optional<os::exit_status> exit;                    // once the process has ended
    operations disconnects;
  };
  struct listener_entry {
    std::variant<os::listener, os::datagrams> socket;
    bool accepting = false;
    bool waiting = false;

    os::listener& stream() { return std::get<os::listener>(socket); }
  };

  /// One happening: the core hears the time first, and its decisions are carried out after.
  template <class Happening>
  void turn(Happening&& tell_core);
  void carry_out();
  void arm_timer();

  // What happens (primary_impl.cpp).
  void on_frame(worker_id id, wire::control const& what, os::socket attached);
  void on_message(worker_id id, message&& what);
  void on_link_end(worker_id id, error_code why);
  void on_exit(worker_id id, os::exit_status how);
  void on_output_end(worker_id id);
  void wait_for_connections(core::listener_id id);
  void accept_some(core::listener_id id);
  void accept_failed(core::listener_id id, error_code why);

  // What the core decides (primary_actions.cpp).
  void perform(core::action::spawn const& what);
  void perform(core::action::send const& what);
  void perform(core::action::offer const& what);
  void perform(core::action::recall const& what);
  void perform(core::action::share const& what);
  void perform(core::action::look const& what);
  void perform(core::action::forget const& what);
  void perform(core::action::open_listener const& what);
  void perform(core::action::close_listener const& what);
  void perform(core::action::start_accepting const& what);
  void perform(core::action::stop_accepting const& what);
  void perform(core::action::expect_link_end const& what);
  void perform(core::action::cut_link const& what);
  void perform(core::action::kill const& what);
  void perform(core::action::emit& what);
  void perform(core::action::retire const& what);
  void perform(core::action::reload_finished const& what);
  void perform(core::action::finished const& what);

  // Events (primary_events.cpp).
  void report(event what);
  void deliver_soon();
  void deliver_events();
  void note_taken(event const& what);
  void after_delivery();

  os::program program_for(worker_id id, fork_options const& own) const;
  void watch(worker_id id, os::spawned& started);
  void read_output(worker_id id, output_stream from, std::optional<os::output>& stream);
  link* link_of(worker_id id);
  void flush_links();
  void log(log_level level, std::string_view text) const;

  asio::any_io_executor executor_;
  options settings_;
  os::program base_;
  core::primary_core core_;
  bool asks_clients_;  // who the client of each connection is
  std::map<worker_id, worker_entry> workers_;
  std::map<worker_id, fork_options> forks_;  // asked for, and not started yet
  std::map<core::listener_id, listener_entry> listeners_;
  connection_table connections_;
  std::vector<std::shared_ptr<link>> unflushed_;  // have frames that are to go out
  std::vector<std::shared_ptr<link>> flushed_;    // none, but room for the next ones

  os::timer timer_;
  core::time_point armed_ = core::never;

  event_queue events_;
  waiting_list<void(error_code, event)> event_waiters_;
  bool delivery_posted_ = false;
  operations run_;
  operations shutdowns_;
  std::map<worker_id, operations> disconnects_;  // of all workers up to this one
  std::map<std::uint64_t, operations> reloads_;  // by the number of the reload they wait for
  bool was_run_ = false;
  bool run_cancelled_ = false;
  bool finished_ = false;
  bool closed_ = false;
};

}  // namespace prong::detail
