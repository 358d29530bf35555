// The simulated world.
// SPDX-License-Identifier: BSL-1.0
#include "sim/world.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <exception>

namespace prong::sim {

world::~world() {
  while (!hosts_.empty()) end(*os.find(hosts_.begin()->first), 0, 9);
}

process& world::run(std::uint32_t worker, start const& what) {
  auto& added = os.add_process(worker);
  added.started = true;
  auto& at = hosts_[added.id];
  as(added, [&] { at.body = what(added, *at.io); });
  return added;
}

resident* world::body(process const& who) {
  auto const at = hosts_.find(who.id);
  return at == hosts_.end() ? nullptr : at->second.body.get();
}

std::vector<process*> world::others(process const& than) {
  std::vector<process*> all;
  for (auto const& [id, each] : os.processes)
    if (each->alive && id != than.id) all.push_back(each.get());
  return all;
}

std::vector<process*> world::workers() {
  std::vector<process*> all;
  for (auto const& [id, _] : hosts_)
    if (os.find(id)->worker != 0) all.push_back(os.find(id));
  return all;
}

void world::collect() {
  possible_.clear();
  for (auto const& [id, each] : os.processes) {
    auto& who = *each;
    if (!who.alive) {
      if (who.watched && who.watcher.waits()) possible_.push_back({kind::report, &who});
      continue;
    }
    if (who.killed)
      possible_.push_back({kind::death, &who});
    else if (!who.started) {
      if (who.start_at <= os.now) possible_.push_back({kind::birth, &who});
    } else if (who.ready && !is_busy(who)) {
      possible_.push_back({kind::handler, &who});
    }
  }
  for (auto* const each : os.ends) {
    auto& who = each->owner();
    if (is_busy(who)) continue;
    if (each->can_write()) possible_.push_back({kind::write, &who, each});
    if (each->can_read()) possible_.push_back({kind::read, &who, each});
  }
  for (auto* const each : os.listeners)
    if (each->waits.waits() && !is_busy(*each->owner)) {
      bool const waits = each->is_worth_a_call();
      if (waits || (!each->was_spurious && os.chooses.chance(os.faults.spurious))) {
        each->was_spurious = !waits;
        possible_.push_back({kind::accept, each->owner, nullptr, each});
      }
    }
}

bool world::step() {
  for (;;) {
    collect();
    if (possible_.empty()) return false;
    if (perform(possible_[os.chooses.pick(possible_.size())])) {
      ++steps;
      return true;
    }
  }
}

bool world::needs_no_choice(possible const& one) const {
  return one.is == kind::write || one.is == kind::birth || one.is == kind::report ||
         (one.is == kind::handler && one.who->worker == 0);
}

std::size_t world::count_possible() {
  for (;;) {
    collect();
    auto const at = std::find_if(possible_.begin(), possible_.end(),
                                 [this](auto const& each) { return needs_no_choice(each); });
    if (at != possible_.end()) {
      steps += perform(possible(*at)) ? 1u : 0u;
      continue;
    }
    return possible_.size();
  }
}

void world::happen(std::size_t number) {
  if (perform(possible(possible_[number]))) ++steps;
}

bool world::perform(possible const& one) {
  auto& who = *one.who;
  if (one.is == kind::handler) return run_handler(who);
  if (one.is == kind::death) {
    end(who, 128 + 9, 9);
  } else if (one.is == kind::birth) {
    who.started = true;
    auto& at = hosts_[who.id];
    as(who, [&] { at.body = spawned_(who, *at.io); });
  } else if (one.is == kind::report) {
    os.note("the exit is reported: process", who.id);
    who.watcher.complete({}, {who.status, who.signal});
    for (auto const& [_, each] : os.processes)
      if (each->worker == 0) each->ready = true;
  } else {
    if (one.is == kind::write)
      one.end->write();
    else if (one.is == kind::read)
      one.end->read();
    else {
      one.listener->take_ahead();
      one.listener->waits.complete({});
    }
    who.ready = true;
  }
  return true;
}

// False if there was none to run.
bool world::run_handler(process& who) {
  auto& at = hosts_.at(who.id);
  std::size_t ran = 0;
  system::running_guard const guard(who);
  try {
    os.expire_timers(who);
    ran = at.io->poll_one();
    if (ran == 0) who.ready = false;
  } catch (std::exception const& error) {
    os.fail("I6", fmt::format("a handler threw: {}", error.what()));
  }
  if (ran > 0) os.note("runs");
  if (at.io->stopped())
    end(who, 0, 0);
  else if (at.body->wants_exit())
    end(who, 3, 0);
  return ran > 0;
}

bool world::advance(time_point limit) {
  auto next = time_point::max();
  for (auto const& [id, each] : os.processes) {
    if (!each->alive) continue;
    if (!each->started)
      next = std::min(next, each->start_at);
    else if (is_busy(*each))
      next = std::min(next, each->stays_until);
    else
      next = std::min(next, os.wakes_at(*each));
  }
  if (next > limit) return false;
  if (next > os.now) {
    os.now = next;
    os.note("time passes");
  }
  for (auto const& [id, each] : os.processes) each->ready = true;
  return true;
}

void world::end(process& who, int status, int signal) {
  if (!who.alive) return;
  os.note(signal != 0 ? "dies: process" : "exits: process", who.id, who.worker);
  who.alive = false;
  who.status = status;
  who.signal = signal;
  auto const at = hosts_.find(who.id);
  if (at != hosts_.end()) {
    system::running_guard const guard(who);
    at->second.body.reset();
    at->second.io.reset();
    hosts_.erase(at);
    os.check_all_closed(who.id);
  } else if (who.channel) {
    // It never came to open its end.
    system::running_guard const guard(who);
    asio::io_context none(1);
    open_channel(none.get_executor(), who.channel, 1);
  }
}

}  // namespace prong::sim
