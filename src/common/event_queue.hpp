// Events that wait to be taken, in their order, within a bound.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/event.hpp>

#include <cstddef>
#include <deque>

namespace prong {

class event_queue {
 public:
  /// `bound`: how many events other than messages may wait. Messages are bounded by the credits
  /// of their senders.
  explicit event_queue(std::size_t bound) : bound_(bound) {}

  /// At the bound the oldest event that is no message is dropped, and counted in its place.
  void push(event what);
  bool empty() const noexcept { return waiting_.empty(); }
  event pop();

 private:
  void drop_oldest();

  std::size_t bound_;
  std::size_t counted_ = 0;  // events that are neither messages nor events_lost
  std::deque<event> waiting_;
};

}  // namespace prong
