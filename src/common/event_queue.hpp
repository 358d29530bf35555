// Events that wait to be taken, in their order, within a bound.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/event.hpp>

#include <cstddef>
#include <deque>

namespace prong {

class event_queue {
 public:
  /// `bound`: how many events other than messages and output may wait. Those are bounded by what
  /// may come of each worker before the program has taken what is there.
  explicit event_queue(std::size_t bound) : bound_(bound) {}

  /// At the bound the oldest event that counts is dropped, and noted in its place.
  void push(event&& what);
  bool empty() const noexcept { return waiting_.empty(); }
  event pop();

 private:
  void drop_oldest();

  std::size_t bound_;
  std::size_t counted_ = 0;  // events that may be dropped
  std::deque<event> waiting_;
};

}  // namespace prong
