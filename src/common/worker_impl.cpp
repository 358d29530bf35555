// The worker's shell.
// SPDX-License-Identifier: BSL-1.0
#include "common/worker_impl.hpp"

#include "common/acceptor_impl.hpp"
#include "common/core/assert.hpp"
#include "common/os/completing.hpp"
#include "common/os/process.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace prong::detail {
namespace {

// How long a worker without free descriptors asks for no connection.
constexpr std::chrono::milliseconds starved_pause{100};
// How many connections are delivered before other work has its turn.
constexpr int connections_in_a_row = 64;
// How many messages are delivered before other work has its turn.
constexpr int messages_in_a_row = 16;

}  // namespace

namespace act = core::worker_action;

worker_impl::worker_impl(asio::any_io_executor executor)
    : executor_(executor),
      posts_(os::recycling_executor(executor)),
      core_(worker_id{}, os::this_process()),
      pause_(executor),
      receives_(executor),
      stops_(executor),
      disconnects_(executor) {}

worker_impl::worker_impl(asio::any_io_executor executor, os::channel channel,
                         std::shared_ptr<os::turn_counts> turns, worker_id id)
    : executor_(executor),
      posts_(os::recycling_executor(executor)),
      id_(id),
      core_(id, os::this_process()),
      channel_(std::make_shared<link>(executor, std::move(channel),
                                      make_error_code(errc::primary_gone))),
      turns_(std::move(turns)),
      pause_(executor),
      receives_(executor),
      stops_(executor),
      disconnects_(executor) {}

worker_impl::~worker_impl() {
  close();
}

void worker_impl::start() {
  if (channel_) {
    // The link calls back only while it is open, and `close` cuts it.
    channel_->start({
        [this](wire::control const& what, os::socket attached) {
          on_frame(what, std::move(attached));
        },
        [this](message&& what) { on_message(std::move(what)); },
        [this] {
          turn([] {});
          deliver_connections();
          // Handlers of messages do not hold up the credit for connections.
          if (turn_requested_)
            deliver_soon();
          else
            deliver_messages();
        },
        [this](error_code) { on_link_end(); },
    });
  }
  turn([] {});
}

void worker_impl::close() {
  if (std::exchange(closed_, true)) return;
  for (auto const& [_, each] : listening_) each->drain();
  if (channel_) {
    channel_->end_messages(asio::error::operation_aborted);
    channel_->cut();
  }
  pause_.cancel();
  for (auto& each : deliveries_) each.to.complete({}, std::move(each.connection));
  deliveries_.clear();
  offered_.clear();
  inbox_.clear();
  receives_.complete_all(asio::error::operation_aborted);
  stops_.complete_all(asio::error::operation_aborted);
  disconnects_.complete_all(asio::error::operation_aborted);
}

template <class Happening>
void worker_impl::turn(Happening&& tell_core) {
  if (closed_) return;
  tell_core();
  carry_out();
  if (channel_) channel_->flush();
}

void worker_impl::carry_out() {
  while (auto const next = core_.next_action())
    std::visit([this](auto const& what) { perform(what); }, *next);
}

// --- What the program wants ---------------------------------------------------------------------

void worker_impl::receive(handler<void(error_code, message)> completion) {
  receives_.add(std::move(completion));
  deliver_soon();
}

void worker_impl::send(message what, handler<void(error_code)> completion) {
  if (channel_) {
    channel_->async_send(std::move(what), std::move(completion));
    return;
  }
  post_completion(executor_, std::move(completion), make_error_code(errc::not_a_worker));
}

void worker_impl::wait_stop(handler<void(error_code)> completion) {
  stops_.add(std::move(completion));
  if (stopping()) stops_.complete_all({});
}

void worker_impl::disconnect(handler<void(error_code)> completion) {
  disconnects_.add(std::move(completion));
  turn([this] { core_.stop(); });
  complete_disconnects();
}

void worker_impl::complete_disconnects() {
  bool const ended = stopping() && (!channel_ || !channel_->is_open());
  if (ended && open_connections_ == 0) disconnects_.complete_all({});
}

core::acceptor_id worker_impl::add(listening_impl& added) {
  auto const id = core_.add_acceptor();
  listening_.emplace(id, &added);
  return id;
}

void worker_impl::remove(core::acceptor_id id) {
  listening_.erase(id);
  turn([&] { core_.close(id); });
}

void worker_impl::listen(core::acceptor_id id, listen_request const& what) {
  turn([&] { core_.listen(id, what); });
}

void worker_impl::listens_alone(core::acceptor_id id, endpoint const& where, error_code result) {
  turn([&] { core_.listens_alone(id, where, result); });
}

void worker_impl::accept_waits(core::acceptor_id id) {
  turn([&] { core_.accept_waits(id); });
  if (!delivers_) deliver_soon();
}

void worker_impl::accept_cancelled(core::acceptor_id id) {
  core_.accept_cancelled(id);
}

// Never sends anything at once, and may be called while actions are carried out.
void worker_impl::count(core::acceptor_id id, std::size_t open, std::size_t room, bool turns_away) {
  core_.count(id, open, room, turns_away);
  if (!core_.has_actions()) return;
  asio::post(posts_, [weak = weak_from_this()] {
    if (auto const self = weak.lock()) self->turn([] {});
  });
}

void worker_impl::connection_ended() {
  --open_connections_;
  complete_disconnects();
}

// --- What happens -------------------------------------------------------------------------------

void worker_impl::on_frame(wire::control const& what, os::socket attached) {
  bool const has_socket = static_cast<bool>(attached);
  if (auto const* const offer = std::get_if<wire::offer>(&what)) {
    if (offer->epoch != channel_->epoch()) {
      core_.on_recalled(core::acceptor_id{offer->acceptor});
      carry_out();
      return;
    }
    offered_.push_back({core::connection_id{offer->connection}, offer->epoch, std::move(attached)});
  } else {
    attached_ = std::move(attached);
  }
  if (!core_.on_control(what, has_socket)) {
    channel_->cut();
    on_link_end();
    return;
  }
  carry_out();
}

void worker_impl::on_message(message&& what) {
  inbox_.push_back(std::move(what));  // is delivered after the whole batch
}

void worker_impl::deliver_soon() {
  bool const has_some = (!deliveries_.empty() && !delivers_) ||
                        (!receives_.empty() && (!inbox_.empty() || stopping()));
  if (!has_some || std::exchange(delivery_posted_, true)) return;
  asio::post(posts_, [weak = weak_from_this()] {
    auto const self = weak.lock();
    if (!self) return;
    self->delivery_posted_ = false;
    self->deliver_connections();
    self->deliver_messages();
  });
}

void worker_impl::deliver(waiting_list<void(error_code, socket_handle)>::operation to,
                          os::socket connection) {
  deliveries_.push({std::move(to), std::move(connection)});
}

// Calls the program's handlers, as `deliver_messages` does. A handler that accepts the next
// connection gets it here, too, if it has arrived.
void worker_impl::deliver_connections() {
  auto const self = shared_from_this();
  delivers_ = true;
  try {
    for (int count = 0; count < connections_in_a_row && !deliveries_.empty(); ++count) {
      auto next = *deliveries_.pop();
      next.to.call({}, std::move(next.connection));
    }
  } catch (...) {
    end_deliveries();
    throw;
  }
  end_deliveries();
}

void worker_impl::end_deliveries() {
  delivers_ = false;
  post_turn();
  if (!deliveries_.empty()) deliver_soon();
}

// Calls the program's handlers, which may do anything, also end this worker.
void worker_impl::deliver_messages() {
  auto const self = shared_from_this();
  try {
    for (int count = 0; count < messages_in_a_row; ++count) {
      if (inbox_.empty() || receives_.empty()) break;
      auto next = std::move(inbox_.front());
      inbox_.pop_front();
      if (channel_) channel_->message_taken(next);
      receives_.take_first().call({}, std::move(next));
    }
  } catch (...) {
    after_delivery();
    throw;
  }
  after_delivery();
}

void worker_impl::after_delivery() {
  if (channel_) channel_->flush();
  // What arrived before the end of messages can still be taken.
  if (stopping() && inbox_.empty())
    receives_.complete_all(primary_lost_ ? make_error_code(errc::primary_gone)
                                         : error_code(asio::error::operation_aborted));
  deliver_soon();
}

void worker_impl::on_link_end() {
  if (!stopping()) primary_lost_ = true;
  turn([this] { core_.stop(); });
  complete_disconnects();
}

// Only acceptors get connections, and have limits.
std::optional<turns> worker_impl::turns_in(std::uint32_t queue) const {
  if (!turns_) return {};
  return turns(turns_, queue, id_);
}

acceptor_impl& worker_impl::acceptor(core::acceptor_id id) const {
  return static_cast<acceptor_impl&>(*listening_.at(id));
}

// --- What the core decides ----------------------------------------------------------------------

void worker_impl::perform(act::send const& what) {
  if (!channel_) return;
  if (std::holds_alternative<wire::stopping>(what.what))
    channel_->end_messages(primary_lost_ ? make_error_code(errc::primary_gone)
                                         : error_code(asio::error::operation_aborted));
  channel_->send(what.what);
}

// The older of two offers of the same connection, if one of them was recalled.
worker_impl::offered_socket worker_impl::take_offered(core::connection_id what) {
  auto const found = std::ranges::find(offered_, what, &offered_socket::id);
  PRONG_ASSERT(found != offered_.end(), "the core names what was offered, once");
  auto offered = std::move(*found);
  offered_.erase(found);
  return offered;
}

// From here on the connection is this worker's, and nobody else's whatever happens (I2). False if
// it was recalled, or the channel has ended: then it is the primary's.
bool worker_impl::take(offered_socket const& what) noexcept {
  return channel_->leave(wire::took{static_cast<std::uint64_t>(what.id)}, what.epoch);
}

void worker_impl::perform(act::deliver const& what) {
  auto offered = take_offered(what.connection);
  if (take(offered))
    deliver(acceptor(what.acceptor).take_waiting(), std::move(offered.connection));
  else
    core_.not_delivered(what.acceptor);
}

void worker_impl::perform(act::refuse const& what) {
  auto const offered = take_offered(what.connection);
  channel_->send(wire::refused{static_cast<std::uint64_t>(offered.id), offered.epoch});
}

void worker_impl::perform(act::drop const& what) {
  take_offered(what.connection);
}

void worker_impl::perform(act::turn_away const& what) {
  if (take(take_offered(what.connection))) acceptor(what.acceptor).turn_away();
}

void worker_impl::perform(act::listened const& what) {
  listening_.at(what.acceptor)->on_listened(what, std::move(attached_));
}

void worker_impl::perform(act::request_turn const&) {
  turn_requested_ = true;
  if (!delivers_ && deliveries_.empty()) post_turn();
}

// Behind what is ready to run now, and what was begun by those who got connections: it proves that
// nothing blocks the loop. A request that is there with its connection is answered before.
void worker_impl::post_turn() {
  if (!turn_requested_ || std::exchange(turn_posted_, true)) return;
  asio::post(posts_, [weak = weak_from_this(), asked = os::clock::now()] {
    auto const self = weak.lock();
    if (!self) return;
    self->turn_requested_ = self->turn_posted_ = false;
    self->turn([&] { self->core_.on_turn(os::clock::now() - asked); });
  });
}

void worker_impl::perform(act::request_pause const&) {
  auto on_time = [weak = weak_from_this()](error_code ec) {
    if (auto const self = weak.lock(); self && !ec) self->turn([&] { self->core_.on_recovered(); });
  };
  pause_.async_wait_for(starved_pause, handler<void(error_code)>(std::move(on_time)));
}

void worker_impl::perform(act::begin_drain const&) {
  pause_.cancel();
  for (auto const& [_, each] : listening_) each->drain();
  offered_.clear();
  if (channel_) channel_->finish();
  deliver_soon();
  stops_.complete_all({});
}

}  // namespace prong::detail
