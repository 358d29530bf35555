// The workers, and the life of each as the primary sees it.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/roster.hpp"

#include "common/core/assert.hpp"

#include <prong/error.hpp>

#include <algorithm>

namespace prong::core {
namespace {

// A worker whose link has closed cannot hear us: it must not go on serving unsupervised.
constexpr std::chrono::seconds kill_grace{1};

}  // namespace

// Rows are worker_state, columns are happening.
roster::step const roster::table[4][5] = {
    // hello               stop                link_closed         exited                deadline
    {&roster::go_online, &roster::drain, &roster::end_link, &roster::end_process,
     &roster::kill_late},  // starting
    {&roster::violate, &roster::drain, &roster::end_link, &roster::end_process,
     &roster::impossible},  // online
    {&roster::ignore, &roster::ignore, &roster::end_link, &roster::end_process,
     &roster::kill_late},  // draining: its hello may have crossed our stop
    {&roster::ignore, &roster::note_stop, &roster::end_link, &roster::end_process,
     &roster::kill_late},  // ending: what it wrote before still arrives
};

roster::worker& roster::add(std::size_t slot, time_point now) {
  worker_id const id{++last_id_};
  auto& added = workers_[id];
  added.id = id;
  added.slot = slot;
  added.started = now;
  added.deadline = now + start_timeout_;
  return added;
}

bool roster::uses(std::size_t slot) const {
  return std::ranges::any_of(workers_, [slot](auto const& each) {
    return each.second.slot == slot && each.second.serves();
  });
}

roster::worker* roster::find(worker_id id) {
  auto const at = workers_.find(id);
  return at == workers_.end() ? nullptr : &at->second;
}

roster::worker const* roster::find(worker_id id) const {
  auto const at = workers_.find(id);
  return at == workers_.end() ? nullptr : &at->second;
}

void roster::on_spawned(worker& at, process_id process, error_code ec) {
  at.process = process;
  actions_.push(action::emit{worker_forked{at.id, process}});
  if (!ec) return;
  at.failure = ec;
  at.exited = at.link_closed = true;
}

bool roster::on(worker& at, happening what, time_point now) {
  auto const row = static_cast<std::size_t>(at.state);
  auto const column = static_cast<std::size_t>(what);
  return (this->*table[row][column])(at, now);
}

bool roster::go_online(worker& at, time_point) {
  at.state = worker_state::online;
  at.deadline = never;
  actions_.push(action::emit{worker_online{at.id, at.process}});
  return true;
}

bool roster::drain(worker& at, time_point now) {
  at.deliberate = true;
  at.state = worker_state::draining;
  at.deadline = now + stop_timeout_;
  actions_.push(action::send{at.id, wire::stop{}});
  return true;
}

bool roster::note_stop(worker& at, time_point) {
  at.deliberate = true;
  return true;
}

bool roster::end_link(worker& at, time_point now) {
  PRONG_ASSERT(!at.link_closed, "a link closes once");
  at.link_closed = true;
  actions_.push(action::emit{worker_disconnected{at.id}});
  if (at.exited || at.state == worker_state::draining) return true;
  at.state = worker_state::ending;
  at.deadline = now + kill_grace;
  return true;
}

bool roster::end_process(worker& at, time_point) {
  PRONG_ASSERT(!at.exited, "a process exits once");
  at.exited = true;
  at.state = worker_state::ending;
  at.deadline = never;
  if (!at.link_closed) actions_.push(action::expect_link_end{at.id});
  return true;
}

bool roster::kill_late(worker& at, time_point) {
  if (!at.failure)
    at.failure = at.state == worker_state::starting ? errc::start_timeout : errc::stop_timeout;
  at.deadline = never;
  actions_.push(action::kill{at.id});
  return true;
}

bool roster::ignore(worker&, time_point) {
  return true;
}

bool roster::violate(worker&, time_point) {
  return false;
}

bool roster::impossible(worker&, time_point) {
  PRONG_ASSERT(false, "an online worker has no deadline");
  return false;
}

void roster::expel(worker& at, error_code why) {
  if (!at.failure) at.failure = why;
  if (!at.link_closed && !at.link_cut) {
    at.link_cut = true;
    actions_.push(action::cut_link{at.id});
  }
  if (!at.exited) actions_.push(action::kill{at.id});
}

void roster::remove(worker_id id) {
  auto const& at = workers_.at(id);
  PRONG_ASSERT(at.gone(), "I5");
  actions_.push(action::emit{
      worker_exited{at.id, at.process, at.status, at.signal, at.deliberate, at.failure}});
  actions_.push(action::retire{id});
  workers_.erase(id);
}

std::vector<worker_id> roster::late(time_point now) const {
  std::vector<worker_id> ids;
  for (auto const& [id, each] : workers_)
    if (each.deadline <= now) ids.push_back(id);
  return ids;
}

time_point roster::next_deadline() const {
  auto earliest = never;
  for (auto const& [_, each] : workers_) earliest = std::min(earliest, each.deadline);
  return earliest;
}

}  // namespace prong::core
