// The supervised pool: so many slots, each with a worker or about to get one.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/pool.hpp"

#include "common/core/assert.hpp"

#include <algorithm>

namespace prong::core {
namespace {

constexpr std::size_t deaths_per_worker = 10;
constexpr std::size_t least_max_deaths = 20;

}  // namespace

std::vector<worker_id> pool::resize(std::size_t size) {
  std::vector<worker_id> surplus;
  while (slots_.size() > size) {
    if (slots_.back().worker) surplus.push_back(*slots_.back().worker);
    slots_.pop_back();
  }
  slots_.resize(size);
  return surplus;
}

bool pool::wants_worker(time_point now) const {
  if (suspended_until_) return false;
  return std::any_of(slots_.begin(), slots_.end(),
                     [now](slot const& each) { return !each.worker && each.start_at <= now; });
}

void pool::fill(worker_id id) {
  // The slot that has waited longest.
  slot* first = nullptr;
  for (auto& each : slots_)
    if (!each.worker && (!first || each.start_at < first->start_at)) first = &each;
  PRONG_ASSERT(first, "a worker is started for a free slot");
  first->worker = id;
}

pool::slot* pool::find(worker_id id) {
  auto const at = std::find_if(slots_.begin(), slots_.end(),
                               [id](slot const& each) { return each.worker == id; });
  return at == slots_.end() ? nullptr : &*at;
}

std::size_t pool::max_deaths() const noexcept {
  if (limits_.max_deaths > 0) return limits_.max_deaths;
  return std::max(least_max_deaths, deaths_per_worker * slots_.size());
}

void pool::on_gone(worker_id id, bool deliberate, std::chrono::nanoseconds lived, time_point now) {
  auto* const at = find(id);
  if (!at) return;
  at->worker.reset();
  if (deliberate) {
    at->start_at = now;
    return;
  }
  at->start_at = now + at->delay.next(limits_, lived, random_);
  auto const limit = max_deaths();
  if (!suspended_until_ && breaker_.on_death(now, limit, limits_.interval)) {
    suspended_until_ = now + limits_.revive_after;
    actions_.push(action::emit{respawn_suspended{limit + 1, limits_.revive_after}});
  }
}

void pool::replace(worker_id old, worker_id next) {
  if (auto* const at = find(old)) at->worker = next;
}

void pool::revive() {
  breaker_.reset();
  for (auto& each : slots_) {
    each.delay = backoff{};
    each.start_at = time_point::min();
  }
  if (!suspended_until_) return;
  suspended_until_.reset();
  actions_.push(action::emit{respawn_resumed{}});
}

void pool::on_time(time_point now) {
  if (suspended_until_ && *suspended_until_ <= now) revive();
}

time_point pool::next_deadline() const {
  if (suspended_until_) return *suspended_until_;
  auto earliest = never;
  for (auto const& each : slots_)
    if (!each.worker) earliest = std::min(earliest, each.start_at);
  return earliest;
}

}  // namespace prong::core
