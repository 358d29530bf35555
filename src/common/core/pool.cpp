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

bool pool::has(std::size_t number) const {
  return std::ranges::find(slots_, number, &slot::number) != slots_.end();
}

std::vector<worker_id> pool::shrink(std::size_t size) {
  std::vector<worker_id> surplus;
  while (slots_.size() > size) {
    if (slots_.back().worker) surplus.push_back(*slots_.back().worker);
    slots_.pop_back();
  }
  return surplus;
}

bool pool::wants_worker(time_point now) const {
  if (suspended_until_) return false;
  return std::any_of(slots_.begin(), slots_.end(),
                     [now](slot const& each) { return !each.worker && each.start_at <= now; });
}

// Of the slots without a worker.
std::vector<pool::slot>::const_iterator pool::waiting_longest() const {
  auto first = slots_.end();
  for (auto at = slots_.begin(); at != slots_.end(); ++at)
    if (!at->worker && (first == slots_.end() || at->start_at < first->start_at)) first = at;
  PRONG_ASSERT(first != slots_.end(), "a worker is started for a free slot");
  return first;
}

std::size_t pool::next_slot() const {
  return waiting_longest()->number;
}

void pool::fill(worker_id id) {
  slots_[static_cast<std::size_t>(waiting_longest() - slots_.begin())].worker = id;
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
