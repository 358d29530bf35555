// An acceptor's shell, and the functions by which the acceptor template reaches it.
// SPDX-License-Identifier: BSL-1.0
#include "common/acceptor_impl.hpp"

#include "common/worker_impl.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

namespace prong::detail {
namespace {

// How long accepting pauses when this process has no descriptor left.
constexpr std::chrono::milliseconds accept_pause{100};
// How long a worker that is ahead of others lets them go first. What they have not taken then it
// takes itself, ahead or not.
constexpr std::chrono::microseconds turns_pause{250};

}  // namespace

acceptor_impl::acceptor_impl(std::shared_ptr<worker_impl> owner)
    : listening_impl(std::move(owner)), accepts_(executor()), pause_(executor()) {}

void acceptor_impl::close_own() {
  stop_taking();
  own_.reset();
  turns_.reset();
  pause_.cancel();
  waiting_ = more_queued_ = false;
}

void acceptor_impl::cancel() {
  if (ended()) return;
  for (auto count = accepts_.size(); !own_ && count > 0; --count) owner_->accept_cancelled(id_);
  stop_taking();
  cancel_listens();
  accepts_.complete_all(asio::error::operation_aborted);
}

endpoint acceptor_impl::open_own(error_code& ec) {
  os::listener opened(executor(), *request_, ec);
  if (ec) return {};
  own_.emplace(std::move(opened));
  return own_->local_endpoint();
}

endpoint acceptor_impl::adopt(os::socket native, std::uint32_t queue, error_code& ec) {
  os::listener adopted(executor(), std::move(native), ec);
  if (ec) return {};
  own_.emplace(std::move(adopted));
  is_shared_ = queue != 0;
  if (is_shared_) turns_ = owner_->turns_in(queue);
  return own_->local_endpoint();
}

// --- Accepting ----------------------------------------------------------------------------------

void acceptor_impl::accept(handler<void(error_code, socket_handle)> completion) {
  if (auto const failure = failure_to_start()) {
    post_completion(executor(), std::move(completion), failure, socket_handle());
    return;
  }
  accepts_.add(std::move(completion), [weak = std::weak_ptr(self())](asio::cancellation_type) {
    auto const self = weak.lock();
    if (!self || self->ended()) return true;
    if (!self->own_)
      self->owner_->accept_cancelled(self->id_);
    else if (self->accepts_.size() == 1)
      self->stop_taking();
    return true;
  });
  ensure_listening();
  if (own_)
    accept_here();
  else if (!accepts_.empty() && !owner_->is_standalone())
    owner_->accept_waits(id_);
}

acceptor_impl::waiting_accepts::operation acceptor_impl::take_waiting() {
  delivered();
  return accepts_.take_first();
}

bool acceptor_impl::wants_connections() const noexcept {
  return own_ && !accepts_.empty() && (room() > 0 || turns_away());
}

void acceptor_impl::accept_here() {
  if (!wants_connections() || waiting_) return;
  if (more_queued_) {
    take_queued();
    return owner_->deliver_soon();
  }
  waiting_ = true;
  if (turns_ && turns_->is_ahead())
    pause(turns_pause);
  else
    expect_connections();
}

void acceptor_impl::expect_connections() {
  waiting_ = wants_connections();
  if (!waiting_) return;
  own_->async_wait(handler<void(error_code)>([self = self(), round = round_](error_code ec) {
    if (round == self->round_) self->on_connections(ec);
  }));
}

void acceptor_impl::on_connections(error_code ec) {
  waiting_ = false;
  if (ec == asio::error::operation_aborted) return accept_here();  // somebody may wait again
  take_queued(ec);
  owner_->deliver_connections();
}

// Where there was a connection there may be another: to look costs less than to wait. In a queue
// that others share, one of them may be idle and take it.
void acceptor_impl::take_queued(error_code ec) {
  waiting_ = true;  // who counts connections may come back to `accept_here`
  while (!ec && wants_connections()) {
    auto connection = own_->accept(ec);
    more_queued_ = !ec && !is_shared_;
    if (!ec && turns_) turns_->took();
    if (!ec && room() == 0)
      ++turned_away_;
    else if (!ec)
      owner_->deliver(take_waiting(), std::move(connection));
  }
  waiting_ = false;
  if (!own_) return;
  if (ec && ec != asio::error::would_block)
    pause(accept_pause);
  else
    accept_here();
}

// From here on this process takes no connections from the queue that it may share. Those that it
// has taken already are served, as nobody else can.
void acceptor_impl::stop_taking() {
  if (!own_) return;
  own_->cancel();
  for (error_code ec; !accepts_.empty();) {
    auto connection = own_->accept(ec);
    if (!connection) return;
    take_waiting().complete({}, std::move(connection));
  }
}

// The program's operations go on waiting meanwhile.
void acceptor_impl::pause(os::clock::duration time) {
  waiting_ = true;
  auto on_time = [weak = std::weak_ptr(self()), round = round_](error_code ec) {
    if (auto const self = weak.lock(); self && !ec && round == self->round_)
      self->expect_connections();
  };
  pause_.async_wait_for(time, handler<void(error_code)>(std::move(on_time)));
}

// --- Counting -----------------------------------------------------------------------------------

std::size_t acceptor_impl::room() const noexcept {
  if (!request_ || !request_->how.max_connections) return SIZE_MAX;
  auto const most = *request_->how.max_connections;
  return most > open_ ? most - open_ : 0;
}

void acceptor_impl::on_request() {
  owner_->count(id_, open_, room(), turns_away());
}

void acceptor_impl::count_changed() {
  if (closed_) return;
  on_request();
  if (request_ && request_->how.max_connections) accept_here();
}

// A connection counts as open until its handler has had its turn to count it.
void acceptor_impl::delivered() {
  if (!request_ || !request_->how.max_connections) return;
  ++open_;
  count_changed();
  asio::post(executor(), [self = self()] {
    --self->open_;
    self->count_changed();
  });
}

void acceptor_impl::count_connection() {
  ++open_;
  owner_->connection_opened();
  count_changed();
}

void acceptor_impl::connection_ended() {
  --open_;
  owner_->connection_ended();
  count_changed();
}

// --- For the acceptor template ------------------------------------------------------------------

std::shared_ptr<acceptor_impl> make_acceptor(worker& owner) {
  auto made = std::make_shared<acceptor_impl>(owner.impl());
  made->open();
  return made;
}

asio::any_io_executor const& executor_of(acceptor_impl const& acceptor) noexcept {
  return acceptor.executor();
}

void listen(acceptor_impl& acceptor, listen_request what) {
  acceptor.listen(std::move(what));
}

void assign(acceptor_impl& acceptor, transport kind, socket_handle listening, error_code& ec) {
  acceptor.assign(kind, std::move(listening), ec);
}

void async_listen(acceptor_impl& acceptor, handler<void(error_code)> completion) {
  acceptor.wait_listening(std::move(completion));
}

void async_accept(acceptor_impl& acceptor, handler<void(error_code, socket_handle)> completion) {
  acceptor.accept(std::move(completion));
}

endpoint local_endpoint(acceptor_impl const& acceptor, error_code& ec) {
  ec = acceptor.listens() ? error_code() : error_code(asio::error::not_connected);
  return acceptor.listens() ? acceptor.bound() : endpoint();
}

endpoint const& last_endpoint(acceptor_impl const& acceptor) noexcept {
  return acceptor.bound();
}

std::string const& failure(acceptor_impl const& acceptor) noexcept {
  return acceptor.failure();
}

void open(acceptor_impl& acceptor) {
  acceptor.open();
}

void cancel(acceptor_impl& acceptor) {
  acceptor.cancel();
}

void close(acceptor_impl& acceptor) {
  acceptor.close();
}

void count_connection(acceptor_impl& acceptor) {
  acceptor.count_connection();
}

void end_connection(std::shared_ptr<acceptor_impl> const& acceptor) {
  asio::post(acceptor->executor(), [acceptor] { acceptor->connection_ended(); });
}

std::uint64_t turned_away(acceptor_impl const& acceptor) noexcept {
  return acceptor.turned_away();
}

}  // namespace prong::detail
