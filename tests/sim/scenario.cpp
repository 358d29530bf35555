// One life of a cluster.
// SPDX-License-Identifier: BSL-1.0
#include "sim/scenario.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace prong::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr std::uint64_t most_steps = 100'000;

}  // namespace

void scenario::begin(options settings, scheduling policy) {
  divided_ = policy == scheduling::sharded;
  world_.rules.set_shared(divided_ || policy == scheduling::shared);
  world_.rules.max_pending(settings.max_pending_connections);
  primary_ = &world_.run(0, [&](process&, asio::io_context& io) {
    auto made = std::make_unique<user>(world_, io, std::move(settings), policy);
    user_ = made.get();
    return made;
  });
}

void scenario::check() {
  if (!user_ || !user_->exists()) return;
  user_->expect();
  world_.rules.check(user_->primary());
}

bool scenario::step() {
  bool const happened = world_.step();
  check();
  return happened;
}

void scenario::run_for(duration time) {
  auto const until = world_.os.now + time;
  while (!world_.os.failed()) {
    if (!step() && !world_.advance(until)) return;
    if (world_.steps > most_steps) world_.os.fail("I8", "it never comes to rest");
  }
}

// --- What is drawn ------------------------------------------------------------------------------

void scenario::draw_faults() {
  auto rate = [this](std::size_t most) {
    return draw_.pick(2) == 0 ? 0u : static_cast<unsigned>(draw_.pick(most));
  };
  auto& faults = world_.os.faults;
  faults.cut = rate(1000);
  faults.lost_socket = rate(300);
  faults.no_descriptors = rate(300);
  faults.spawn_fails = rate(300);
  faults.duplicate_fails = rate(300);
  faults.spurious = rate(50);
  faults.slow_start = rate(500);
  odd_programs_ = rate(400);
  deaths_ = rate(60);
  world_.os.takes_ahead = draw_.pick(2) == 0;
  if (draw_.pick(2) == 0) world_.os.stream_room = 40 + draw_.pick(400);
}

options scenario::draw_options() {
  options drawn;
  drawn.workers = draw_.pick(4);
  drawn.window = draw_.pick(3);
  drawn.max_pending_connections = 1 + draw_.pick(5);
  drawn.start_timeout = milliseconds(500 + draw_.pick(5'000));
  drawn.stop_timeout = milliseconds(draw_.pick(5'000));
  drawn.max_queued_events = draw_.pick(5) == 0 ? 1 + draw_.pick(4) : 4'096;
  if (draw_.pick(2) == 0) drawn.keep_ports_open = draw_.pick(2) == 0;
  if (draw_.pick(2) == 0) drawn.respawn.max_deaths = 1 + draw_.pick(4);
  drawn.respawn.revive_after = milliseconds(1 + draw_.pick(6'000));
  return drawn;
}

scheduling scenario::draw_policy(options& settings) {
  auto const drawn = draw_.pick(1'000);
  if (drawn < 150) return scheduling::shared;
  if (drawn < 350) return scheduling::least_connections;
  if (drawn >= 800) return scheduling::round_robin;
  if (drawn >= 650) return scheduling::sharded;
  settings.proxy_protocol = drawn % 2 == 0;
  if (drawn < 550) return scheduling::sticky;
  settings.choose_worker = [](auto const& client, auto workers) {
    return workers[client.address().to_v4().to_uint() % workers.size()].id;
  };
  return scheduling::custom;
}

habits scenario::draw_habits() {
  habits drawn;
  if (draw_.chance(odd_programs_))
    drawn.is = draw_.pick(3) == 0 ? habits::kind::old_version : habits::kind::silent;
  std::vector<std::uint16_t> const ports[] = {{80}, {80, 81}, {81}, {0}, {0, 0}, {80}};
  drawn.ports = ports[draw_.pick(std::size(ports))];
  drawn.accepts = 1 + static_cast<unsigned>(draw_.pick(3));
  drawn.sends = draw_.pick(3) == 0;
  drawn.reads = draw_.pick(6) != 0;
  drawn.keeps_connections = draw_.pick(3) == 0;
  drawn.ignores_stop = draw_.chance(odd_programs_);
  drawn.has_grandchild = draw_.chance(odd_programs_);
  drawn.misbehaves = draw_.chance(odd_programs_);
  return drawn;
}

void scenario::connect_somebody() {
  std::vector<std::uint16_t> ports;
  for (auto const& [_, each] : world_.os.objects)
    if (each.listens && each.references > 0) ports.push_back(each.port);
  if (ports.empty()) return;
  auto const connected = world_.os.connect(ports[draw_.pick(ports.size())]);
  if (connected == no_object || !user_ || !user_->settings().proxy_protocol) return;
  std::string const headers[] = {
      "PROXY UNKNOWN\r\n", fmt::format("PROXY TCP4 10.0.0.{} 10.1.0.1 1 2\r\n", draw_.pick(5)),
      "PROXY UNKNOWN and nothing more", "GET / HTTP/1.0\r\n", ""};
  // Most clients keep the protocol.
  world_.os.objects.at(connected).written = headers[std::min(draw_.pick(10), draw_.pick(5))];
}

void scenario::act() {
  auto const what = draw_.pick(10);
  auto const others = world_.others(*primary_);
  if (what <= 4)
    connect_somebody();
  else if (what == 5 && user_)
    world_.as(*primary_, [&] { user_->act(); });
  else if (what == 6) {
    auto& port = world_.os.foreign_ports[draw_.pick(2) == 0 ? 80 : 81];
    port = draw_.pick(3) == 0;
  } else if (!others.empty()) {
    auto& one = *others[draw_.pick(others.size())];
    if (auto* const at = dynamic_cast<program*>(world_.body(one)))
      world_.as(one, [&] { at->act(); });
  }
}

void scenario::disturb() {
  auto const others = world_.others(*primary_);
  if (!others.empty() && draw_.chance(deaths_))
    world_.end(*others[draw_.pick(others.size())], 128 + 9, 9);
  if (draw_.chance(30)) world_.advance(world_.os.now + milliseconds(draw_.pick(2'000)));
}

// --- The course ---------------------------------------------------------------------------------

void scenario::live() {
  draw_faults();
  auto settings = draw_options();
  world_.spawned_run([this](process& self, asio::io_context& io) {
    return std::make_unique<program>(world_, self, io, quiet_ ? habits{} : draw_habits());
  });
  auto const policy = draw_policy(settings);
  begin(std::move(settings), policy);
  world_.as(*primary_, [&] {
    if (draw_.pick(4) != 0)
      user_->run();
    else
      user_->fork();
  });
  auto const budget = 50 + draw_.pick(600);
  auto const restless = 20 + static_cast<unsigned>(draw_.pick(200));
  while (world_.steps < budget && !world_.os.failed()) {
    disturb();
    bool const idle = !step();
    if (idle || draw_.chance(restless)) act();
    if (idle) {
      ++world_.steps;
      if (draw_.pick(2) == 0) world_.advance(world_.os.now + seconds(20));
    }
  }
  auto const end = draw_.pick(8);
  if (end > 1) recover();
  if (end == 0 || end == 2)
    destroy();
  else if (end == 1 || end == 3)
    lose_primary();
  else
    shut_down();
  check_nothing_left();
}

void scenario::settle_programs() {
  for (auto* const each : world_.others(*primary_))
    if (auto* const at = dynamic_cast<program*>(world_.body(*each)))
      world_.as(*each, [&] { at->settle(); });
}

void scenario::recover() {
  quiet_ = true;
  world_.os.faults = {};
  world_.os.foreign_ports.clear();
  for (auto const& [_, each] : world_.os.processes) each->start_at = world_.os.now;
  world_.os.note("from here on all is well");
  settle_programs();
  world_.as(*primary_, [&] { user_->take_events(true); });
  run_for(seconds(240));
  check_recovered();
}

void scenario::check_recovered() {
  auto const& state = user_->primary();
  world_.rules.check_quiet(state);
  auto const all = state.decisions().workers();
  auto const online =
      static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](worker_info const& each) {
        return each.state == worker_state::online;
      }));
  if (online < user_->target())
    world_.os.fail("I8", fmt::format("{} workers of {} are online", online, user_->target()));
  bool all_served = true;
  for (auto const& [id, each] : world_.os.objects) {
    if (!each.listens || each.references == 0) continue;
    if (divided_ && !world_.os.is_waited_for(id)) continue;  // its slot has no worker
    bool served = false;
    for (auto* const other : world_.others(*primary_))
      if (auto* const at = dynamic_cast<program*>(world_.body(*other)))
        served = served || (at->waits_on(each.port) && !at->stopping());
    if (served && !each.backlog.empty())
      world_.os.fail("I8",
                     fmt::format("port {} has clients waiting and workers waiting", each.port));
    all_served = all_served && served;
  }
  auto const pending = state.decisions().ports().pending();
  if (all_served && pending > 0)
    world_.os.fail("I8", fmt::format("{} connections are pending, and workers wait", pending));
  auto const may_wait = 1 + (user_->was_run() && !user_->is_shut_down() ? 1u : 0u);
  if (user_->open_operations() > may_wait)
    world_.os.fail(
        "I8", fmt::format("{} operations wait for nothing", user_->open_operations() - may_wait));
}

void scenario::shut_down() {
  auto const since = world_.os.now;
  world_.as(*primary_, [&] { user_->shutdown(); });
  run_for(duration(0));
  if (user_->open_operations() > 0) world_.os.fail("I8", "good workers have to be killed");
  run_for(user_->settings().stop_timeout + seconds(1));
  if (user_->open_operations() > 0)
    world_.os.fail(
        "I8", fmt::format("shutdown has not ended after {} ms",
                          std::chrono::duration_cast<milliseconds>(world_.os.now - since).count()));
  world_.rules.check_all_exited();
  if (!user_->primary().decisions().no_workers()) world_.os.fail("I8", "workers are left");
  destroy();
}

void scenario::destroy() {
  world_.os.note("the primary is destroyed");
  world_.as(*primary_, [&] { user_->destroy(); });
  run_for(duration(0));
  if (user_->open_operations() > 0)
    world_.os.fail("operations",
                   fmt::format("{} did not end with the primary", user_->open_operations()));
  lose_primary();
}

// However the primary ends, each worker that can hear hears it, and ends (I9).
void scenario::lose_primary() {
  user_ = nullptr;
  world_.end(*primary_, 128 + 9, 9);
  quiet_ = true;
  settle_programs();
  run_for(seconds(1));
  for (auto* const each : world_.others(*primary_)) {
    auto* const at = dynamic_cast<program*>(world_.body(*each));
    if (at && at->character().is == habits::kind::server)
      world_.os.fail("I9", fmt::format("worker {} outlives its primary", each->worker));
    world_.end(*each, 128 + 9, 9);  // C10: the others are the backend's
  }
}

void scenario::check_nothing_left() {
  world_.os.end_grandchildren();
  for (auto const& [id, each] : world_.os.objects)
    if (each.references > 0) world_.os.fail("I10", fmt::format("object {} is still open", id));
}

outcome scenario::result() {
  return {world_.os.failure(),     world_.os.failed() ? world_.os.trace() : std::string(),
          world_.os.digest(),      world_.steps,
          world_.rules.accepted(), world_.rules.handed_over()};
}

outcome run_seed(std::uint64_t seed, bool print_trace) {
  random_choices from(seed);
  scenario one(from);
  one.in().os.print_trace(print_trace);
  one.live();
  return one.result();
}

}  // namespace prong::sim
