// One side's use of a channel.
// SPDX-License-Identifier: BSL-1.0
#include "common/link.hpp"

#include "common/core/assert.hpp"
#include "common/os/mailbox.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <limits>
#include <utility>

namespace prong {
namespace {

// Credits go back in lots of this size, to save frames.
constexpr std::uint32_t credit_lot = wire::message_window / 2;
// How many sends may wait for credits.
constexpr std::size_t most_waiting = 256;
// From this size on a batch gets no more messages: what is much larger than the processor's caches
// and the system's buffers takes longer than several smaller ones.
constexpr std::size_t large_batch = 128 * 1024;
// A batch keeps its memory up to this size, and not what one large message needed.
constexpr std::size_t kept_capacity = 2 * large_batch;

// A worker has no more unused credits than its mailbox has places for the answers.
static_assert(wire::max_credits <= os::mailbox::capacity);

// Whether it was sent with a socket counts, and not whether there was a free descriptor for that.
wire::message view_of(message const& what) {
  return {what.topic, what.body, what.socket || what.socket_lost};
}

// A handler that throws does not take the others with it.
void call_all(std::vector<waiting_list<void(error_code)>::operation>& those, error_code ec) {
  auto next = those.begin();
  try {
    while (next != those.end()) (next++)->call(ec);
  } catch (...) {
    for (; next != those.end(); ++next) next->complete(ec);
    throw;
  }
  those.clear();
}

}  // namespace

void link::batch::complete(error_code ec) {
  for (auto& each : messages) each.complete(ec);
  clear();
}

void link::batch::clear() {
  messages.clear();
  owned.clear();
  sockets.clear();
  frames.clear();
  if (frames.capacity() > kept_capacity) std::vector<std::byte>().swap(frames);
}

link::link(asio::any_io_executor executor, os::channel channel, error_code gone)
    : executor_(executor),
      channel_(std::move(channel)),
      gone_(gone),
      waiting_(std::move(executor)),
      credits_(wire::message_window) {}

void link::start(callbacks owner) {
  owner_ = std::move(owner);
  receive();
}

// --- Frames -------------------------------------------------------------------------------------

void link::send(wire::control const& what) {
  if (channel_ && !broken_ && !finishing_) wire::encode(what, queued_.frames);
}

void link::send(wire::control const& what, os::native_socket borrowed) {
  if (!channel_ || broken_ || finishing_) return;
  wire::encode(what, queued_.frames);
  queued_.sockets.push_back(borrowed);
}

void link::send(wire::control const& what, os::socket owned) {
  send(what, owned.get());
  queued_.owned.push_back(std::move(owned));
}

bool link::leave(wire::took const& what, std::uint32_t epoch) noexcept {
  wire::frame_header header;
  header.kind = static_cast<std::uint16_t>(wire::frame_kind::took);
  header.id = what.connection;
  return channel_ && channel_->leave(header, epoch);
}

// The socket of an offer that is not out yet would be closed before the system has it. What is
// heard here can lead to such an offer.
bool link::recall() {
  if (!channel_ || !dispatch_all() || !channel_) return false;
  return sending_.sockets.empty() && queued_.sockets.empty() && channel_->end_epoch();
}

void link::flush() {
  if (!channel_ || is_sending_) return;
  queue_waiting(large_batch);
  if (queued_.empty()) return;
  std::swap(queued_, sending_);
  os::outgoing const all{sending_.frames, sending_.sockets};
  // What messages complete with is told in another turn of the loop; what is sent until then goes
  // with the next batch.
  if (sending_.messages.empty() && channel_->send_now(all)) return sending_.clear();
  is_sending_ = true;
  channel_->async_send(all, detail::handler<void(error_code)>(
                                [self = shared_from_this()](error_code ec) { self->on_sent(ec); }));
}

void link::on_sent(error_code ec) {
  is_sending_ = false;
  // When the other side is gone, what it wrote before is still to be read.
  broken_ = broken_ || ec;
  if (ec && ec != asio::error::eof && channel_) {
    end(ec);
    return;
  }
  auto sent = std::exchange(sending_.messages, std::move(called_));
  sending_.clear();
  if (broken_) queued_.complete(gone_);
  flush();
  if (finishing_ && !is_sending_ && channel_) end(asio::error::eof);
  call_all(sent, ec ? gone_ : ec);
  called_ = std::move(sent);
}

void link::receive() {
  channel_->async_receive(detail::handler<void(error_code)>(
      [self = shared_from_this()](error_code ec) { self->on_received(ec); }));
}

void link::on_received(error_code ec) {
  if (!channel_ || !dispatch_all()) return;
  if (channel_ && ec)
    end(ec);
  else if (channel_)
    receive();
  owner_.on_batch();  // last, because it may call the program's handlers
}

// False if that ended the link, for what no peer of ours says.
bool link::dispatch_all() {
  os::received one;
  while (channel_ && channel_->next(one)) {
    if (!dispatch(one)) {
      end(errc::protocol_error);
      return false;
    }
  }
  return true;
}

bool link::dispatch(os::received& one) {
  auto const what = wire::decode(one.frame);
  if (!what) return false;
  if (finishing_) return true;
  if (auto const* const text = std::get_if<wire::message>(&*what))
    return on_message(*text, std::move(one.attached));
  if (auto const* const credit = std::get_if<wire::message_credit>(&*what))
    on_message_credit(credit->count);
  else
    owner_.on_frame(*what, std::move(one.attached));
  return true;
}

void link::peer_exited() {
  if (channel_) channel_->peer_exited();
}

void link::finish() {
  finishing_ = true;
  flush();
  if (!is_sending_ && channel_) end(asio::error::eof);
}

void link::cut() {
  if (!channel_) return;
  channel_.reset();
  sending_.complete(gone_);
  queued_.complete(gone_);
  end_messages(gone_);
}

void link::end(error_code why) {
  cut();
  owner_.on_end(why);
}

// --- Messages -----------------------------------------------------------------------------------

void link::async_send(message what, detail::handler<void(error_code)> completion) {
  what.socket_lost = false;  // means nothing in what is sent
  error_code refused = messages_ended_;
  if (what.body.size() > message::max_body_size || what.topic.size() > message::max_topic_size)
    refused = errc::message_too_large;
  else if (!refused && waiting_.size() >= most_waiting + credits_ / wire::cost_of(view_of(what)))
    refused = errc::queue_full;
  if (refused) {
    detail::post_completion(executor_, std::move(completion), refused);
    return;
  }
  if (waiting_.empty() && has_credit_for(what) && queued_.frames.size() < large_batch) {
    queue_message(std::move(what), operations::operation(executor_, std::move(completion)));
    flush();
    return;
  }
  auto const number = ++last_message_;
  messages_.push_back({number, std::move(what)});
  waiting_.add(std::move(completion), [weak = weak_from_this(), number](asio::cancellation_type) {
    if (auto const self = weak.lock())
      std::erase_if(self->messages_,
                    [number](waiting_message const& each) { return each.number == number; });
    return true;
  });
}

bool link::has_credit_for(message const& what) const {
  return credits_ >= wire::cost_of(view_of(what));
}

void link::queue_message(message what, operations::operation done) {
  PRONG_ASSERT(has_credit_for(what), "I7");
  if (broken_) {
    done.complete(gone_);
    return;
  }
  auto const frame = view_of(what);
  credits_ -= wire::cost_of(frame);
  if (frame.with_socket)
    send(frame, std::move(what.socket));
  else
    send(frame);
  queued_.messages.push_back(std::move(done));
}

void link::on_message_credit(std::uint32_t count) {
  credits_ = std::min(credits_ + std::min(count, wire::message_window), wire::message_window);
  flush();
}

void link::queue_waiting(std::size_t up_to) {
  while (!messages_.empty() && has_credit_for(messages_.front().what) &&
         queued_.frames.size() < up_to) {
    queue_message(std::move(messages_.front().what), waiting_.take_first());
    messages_.pop_front();
  }
}

bool link::on_message(wire::message const& what, os::socket attached) {
  untaken_ += wire::cost_of(what);
  if (untaken_ + unreturned_ > wire::message_window) return false;  // it had no credit for this one
  message received(std::string(what.topic), std::string(what.body), std::move(attached));
  received.socket_lost = what.with_socket && !received.socket;
  owner_.on_message(std::move(received));
  return true;
}

bool link::message_taken(message const& what) {
  auto const cost = wire::cost_of(view_of(what));
  untaken_ -= cost;
  unreturned_ += cost;
  if (unreturned_ < credit_lot) return false;
  send(wire::message_credit{std::exchange(unreturned_, 0)});
  return true;
}

void link::end_messages(error_code why) {
  if (!messages_ended_) messages_ended_ = why;
  // Messages with credit waited only for the batch before them.
  if (channel_) queue_waiting(std::numeric_limits<std::size_t>::max());
  messages_.clear();
  waiting_.complete_all(why);
}

}  // namespace prong
