// The simulated operating system: handles, ports, processes, and what is remembered for a failure.
// SPDX-License-Identifier: BSL-1.0
#include "sim/backend.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>

namespace prong::sim {
namespace {

constexpr std::size_t kept_entries = 40;
constexpr std::size_t backlog_room = 64;
constexpr native_socket first_handle = 3;

system* the_system = nullptr;

}  // namespace

system::system(choices& from, observer& watcher) : chooses(from), observes(watcher) {
  the_system = this;
  now += std::chrono::hours(1);  // the clock counts from somewhere
}

system::~system() {
  the_system = nullptr;
}

system& system::current() {
  return *the_system;
}

// --- Failures -----------------------------------------------------------------------------------

void system::fail(std::string_view invariant, std::string what) {
  if (failure_.empty()) failure_ = fmt::format("{}: {}", invariant, what);
}

void system::note(char const* what, std::uint64_t a, std::uint64_t b) {
  digest_ = (digest_ ^ (a * 31 + b) ^ (std::uint64_t{running_->id} << 32) ^
             static_cast<std::uint64_t>(now.time_since_epoch().count()) ^
             static_cast<std::uint64_t>(what[0])) *
            0x9e37'79b9'7f4a'7c15u;
  last_.push_back({now, running_->id, what, a, b});
  if (last_.size() > kept_entries) last_.pop_front();
  if (prints_) std::printf("%s\n", line_of(last_.back()).c_str());
}

std::string system::line_of(entry const& one) const {
  auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(
      one.when.time_since_epoch() - std::chrono::hours(1));
  auto const at = processes.find(one.who);
  auto const who = at == processes.end()     ? std::string("world")
                   : at->second->worker == 0 ? std::string("primary")
                                             : fmt::format("worker {}", at->second->worker);
  return fmt::format("{:>8} ms {:>10}  {} {} {}", ms.count(), who, one.what, one.a, one.b);
}

std::string system::trace() const {
  std::string all;
  for (auto const& each : last_) all += line_of(each) + '\n';
  return all;
}

bool system::call_fails(char const* what, unsigned permille) {
  bool const named = ++calls == fail_call;
  if (named) failed_call_ = what;
  if (named || chooses.chance(permille)) {
    note(what);
    return true;
  }
  return false;
}

// --- Handles ------------------------------------------------------------------------------------

os::socket system::open(object_id what) {
  hold(what);
  handles_.push_back({what, running_->id, true});
  return os::socket(first_handle + static_cast<native_socket>(handles_.size()) - 1);
}

void system::close(native_socket socket) noexcept {
  auto const at = static_cast<std::size_t>(socket - first_handle);
  if (at >= handles_.size()) {
    fail("I10", fmt::format("handle {} was never opened, and is closed", socket));
  } else if (!handles_[at].open) {
    fail("I10", fmt::format("handle {} is closed twice", socket));
  } else if (handles_[at].owner != running_->id) {
    fail("I10", fmt::format("handle {} of process {} is closed by process {}", socket,
                            handles_[at].owner, running_->id));
  } else {
    handles_[at].open = false;
    drop(handles_[at].what);
  }
}

object_id system::object_of(native_socket socket) {
  auto const at = static_cast<std::size_t>(socket - first_handle);
  if (at >= handles_.size() || !handles_[at].open || handles_[at].owner != running_->id) {
    fail("I6",
         fmt::format("handle {} is used by process {}, which has it not", socket, running_->id));
    return no_object;
  }
  return handles_[at].what;
}

void system::drop(object_id what) noexcept {
  if (what == no_object) return;
  auto& at = objects.at(what);
  if (--at.references > 0 || !at.listens) return;
  // Nobody has the port any more: the clients in its backlog are turned away.
  for (auto const each : std::exchange(at.backlog, {})) drop(each);
}

void system::check_all_closed(process_id owner) {
  for (std::size_t at = 0; at < handles_.size(); ++at)
    if (handles_[at].open && handles_[at].owner == owner)
      fail("I10", fmt::format("process {} left handle {} of object {} open", owner,
                              at + first_handle, handles_[at].what));
}

// --- Ports and processes ------------------------------------------------------------------------

std::vector<object_id> system::listening_on(std::uint16_t port) const {
  std::vector<object_id> found;
  for (auto const& [id, each] : objects)
    if (each.listens && each.references > 0 && each.port == port) found.push_back(id);
  return found;
}

bool system::is_waited_for(object_id listening) const {
  return std::ranges::any_of(listeners, [listening](accept_wait const* each) {
    return each->on == listening && each->owner->worker != 0 && each->waits.waits();
  });
}

object_id system::connect(std::uint16_t port) {
  auto const all = listening_on(port);
  if (all.empty()) return no_object;
  auto const at = all.size() == 1 ? all.front() : all[chooses.pick(all.size())];
  if (objects.at(at).backlog.size() >= backlog_room) return no_object;
  auto const id = ++last_object_;
  objects[id].port = port;
  hold(id);
  objects.at(at).backlog.push_back(id);
  note("a client connects: port, connection", port, id);
  return id;
}

time_point system::wakes_at(process const& who) const {
  auto first = time_point::max();
  for (auto const* const each : timers)
    if (each->owner == &who && each->waits.waits()) first = std::min(first, each->until);
  return first;
}

void system::expire_timers(process const& who) {
  for (auto next = wakes_at(who); next <= now; next = wakes_at(who))
    for (auto* const each : timers)
      if (each->owner == &who && each->waits.waits() && each->until == next)
        each->waits.complete({});
}

process& system::add_process(std::uint32_t worker) {
  auto const id = ++last_process_;
  auto& added = *processes.emplace(id, std::make_unique<process>()).first->second;
  added.id = id;
  added.worker = worker;
  return added;
}

process* system::find(process_id id) {
  auto const at = processes.find(id);
  return at == processes.end() ? nullptr : at->second.get();
}

void system::end_grandchildren() {
  for (auto const& [_, each] : processes) {
    if (!each->channel || !std::exchange(each->channel->grandchild, false)) continue;
    for (auto const& rider : std::exchange(each->channel->written_by(0).riders, {}))
      drop(rider.socket);
  }
}

object_id system::add_listening(std::uint16_t port) {
  auto const id = ++last_object_;
  auto& added = objects[id];
  added.listens = true;
  added.port = port;
  return id;
}

os::socket system::add_socket() {
  auto const id = ++last_object_;
  objects.try_emplace(id);
  return open(id);
}

}  // namespace prong::sim
