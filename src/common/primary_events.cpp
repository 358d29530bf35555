// The primary's shell: events on their way to the program.
// SPDX-License-Identifier: BSL-1.0
#include "common/primary_impl.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace prong::detail {
namespace {

// How many events are delivered before other work has its turn.
constexpr int events_in_a_row = 16;

}  // namespace

void primary_impl::report(event what) {
  events_.push(std::move(what));
  deliver_soon();
}

void primary_impl::deliver_soon() {
  bool const has_some = !event_waiters_.empty() && (!events_.empty() || finished_);
  if (!has_some || std::exchange(delivery_posted_, true)) return;
  asio::post(executor_, [weak = weak_from_this()] {
    auto const self = weak.lock();
    if (!self) return;
    self->delivery_posted_ = false;
    self->deliver_events();
  });
}

// Calls the program's handlers, which may do anything, also end this primary.
void primary_impl::deliver_events() {
  auto const self = shared_from_this();
  try {
    for (int count = 0; count < events_in_a_row; ++count) {
      if (events_.empty() || event_waiters_.empty()) break;
      auto next = events_.pop();
      note_taken(next);
      event_waiters_.take_first().call({}, std::move(next));
    }
  } catch (...) {
    after_delivery();
    throw;
  }
  after_delivery();
}

void primary_impl::note_taken(event const& what) {
  if (auto const* const text = std::get_if<worker_message>(&what)) {
    auto const at = workers_.find(text->id);
    if (at != workers_.end() && at->second.channel->message_taken(text->message))
      unflushed_.push_back(at->second.channel);
  } else if (auto const* const line = std::get_if<worker_output>(&what)) {
    auto const at = workers_.find(line->id);
    if (at != workers_.end())
      at->second.outputs[static_cast<std::size_t>(line->from)]->line_taken();
  }
}

void primary_impl::after_delivery() {
  flush_links();
  if (finished_ && events_.empty()) event_waiters_.complete_all(asio::error::operation_aborted);
  deliver_soon();
}

}  // namespace prong::detail
