// Events that wait to be taken, in their order, within a bound.
// SPDX-License-Identifier: BSL-1.0
#include "common/event_queue.hpp"

#include <algorithm>
#include <utility>

namespace prong {
namespace {

bool counts(event const& what) {
  return !std::holds_alternative<worker_message>(what) &&
         !std::holds_alternative<worker_output>(what) && !std::holds_alternative<events_lost>(what);
}

}  // namespace

void event_queue::push(event&& what) {
  if (counts(what)) {
    if (counted_ == bound_) drop_oldest();
    ++counted_;
  }
  waiting_.push_back(std::move(what));
}

event event_queue::pop() {
  auto first = std::move(waiting_.front());
  waiting_.pop_front();
  if (counts(first)) --counted_;
  return first;
}

void event_queue::drop_oldest() {
  auto const oldest = std::find_if(waiting_.begin(), waiting_.end(), counts);
  --counted_;
  // One note stands for all events that are lost at one place.
  if (oldest != waiting_.begin()) {
    if (auto* const note = std::get_if<events_lost>(&*std::prev(oldest))) {
      ++note->count;
      waiting_.erase(oldest);
      return;
    }
  }
  *oldest = events_lost{1};
}

}  // namespace prong
