// A primary's core with a script around it: what a shell would do at once is done at once, and
// everything that the core wants done is kept for the test to look at.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/convert.hpp"
#include "common/core/primary_core.hpp"
#include "support/actions.hpp"
#include "support/request.hpp"

#include <map>
#include <utility>

namespace prong::core {

class scripted_primary {
 public:
  explicit scripted_primary(options settings = {}, scheduling policy = scheduling::round_robin)
      : core(settings, policy, 1) {
    at_time(now);
  }

  static options pool_of(std::size_t workers) {
    options settings;
    settings.workers = workers;
    return settings;
  }
  static endpoint port(unsigned short number) { return {asio::ip::address_v4::loopback(), number}; }
  static process_id process_of(worker_id id) { return 1'000 + static_cast<process_id>(id); }

  /// Any call of the core, and what a shell does at once because of it.
  template <class Call>
  auto call(Call&& what) {
    if constexpr (std::is_void_v<decltype(what(core))>) {
      what(core);
      carry_out();
    } else {
      auto result = what(core);
      carry_out();
      return result;
    }
  }

  void at_time(time_point when) {
    now = when;
    call([&](primary_core& each) { each.on_time(now); });
  }
  void passes(duration time) { at_time(now + time); }

  void says(worker_id id, wire::control const& what) {
    call([&](primary_core& each) { each.on_control(id, what); });
  }
  void takes(worker_id id, std::uint64_t connection) {
    call([&](primary_core& each) { each.on_took(id, connection_id{connection}); });
  }
  void refuses(worker_id id, std::uint64_t connection) {
    call([&](primary_core& each) { each.on_refused(id, connection_id{connection}); });
  }
  void says_hello(worker_id id) {
    wire::hello greeting;
    greeting.worker = static_cast<std::uint32_t>(id);
    greeting.process = process_of(id);
    says(id, greeting);
  }
  void listens(worker_id id, std::uint64_t acceptor = 1, unsigned short number = 80) {
    says(id, to_wire(acceptor_id{acceptor}, test::request(port(number)), 0));
  }
  void grants(worker_id id, std::uint32_t count = 1, std::uint64_t acceptor = 1) {
    says(id, wire::credit{acceptor, count});
  }
  void comes_up(worker_id id) {
    says_hello(id);
    listens(id);
  }
  void closes_link(worker_id id) {
    call([&](primary_core& each) { each.on_link_closed(id); });
  }
  void exits(worker_id id, int status = 0, int signal = 0) {
    call([&](primary_core& each) { each.on_exited(id, status, signal); });
  }
  void dies(worker_id id) {
    exits(id, 137, 9);
    closes_link(id);
  }
  void drains_and_ends(worker_id id) {
    says(id, wire::stopping{});
    closes_link(id);
    exits(id);
  }
  void arrive(std::uint64_t first, std::uint64_t last) {
    for (auto id = first; id <= last; ++id)
      call([&](primary_core& each) { each.on_connection(listener_id{1}, {connection_id{id}}); });
  }

  /// What the core has wanted since the last `forget`.
  template <class Action>
  std::vector<Action> wanted() const {
    return test::only<Action>(seen);
  }
  template <class Event>
  std::vector<Event> reported() const {
    return test::events<Event>(seen);
  }
  template <class Frame>
  std::vector<Frame> told(worker_id to) const {
    return test::frames<Frame>(seen, to);
  }
  std::vector<worker_id> spawned() const {
    std::vector<worker_id> ids;
    for (auto const& each : wanted<action::spawn>()) ids.push_back(each.id);
    return ids;
  }
  std::vector<worker_id> killed() const {
    std::vector<worker_id> ids;
    for (auto const& each : wanted<action::kill>()) ids.push_back(each.id);
    return ids;
  }
  /// Who was offered what, in its order.
  std::vector<std::pair<worker_id, connection_id>> offers() const {
    std::vector<std::pair<worker_id, connection_id>> all;
    for (auto const& each : wanted<action::offer>()) all.emplace_back(each.to, each.connection);
    return all;
  }
  void forget() { seen.clear(); }

  primary_core core;
  time_point now{std::chrono::hours{1}};
  std::vector<any_action> seen;
  error_code spawn_error;  // what starting a process comes to

 private:
  void carry_out() {
    while (auto next = core.next_action()) {
      auto const& what = seen.emplace_back(std::move(*next));
      if (auto const* const spawn = std::get_if<action::spawn>(&what))
        core.on_spawned(spawn->id, spawn_error ? 0 : process_of(spawn->id), spawn_error);
      else if (auto const* const cut = std::get_if<action::cut_link>(&what))
        core.on_link_closed(cut->id);
      else if (auto const* const open = std::get_if<action::open_listener>(&what))
        core.on_listener_opened(open->id, {}, open->what.where);
    }
  }
};

/// Without a pool: workers are forked by hand.
struct by_hand : scripted_primary {
  worker_id forks() {
    return call([](primary_core& each) { return each.fork(); });
  }
  void two_listen() {
    comes_up(forks());
    comes_up(forks());
    forget();
  }
};

}  // namespace prong::core
