// An acceptor's shell, and the functions by which the acceptor template reaches it.
// SPDX-License-Identifier: BSL-1.0
#include "common/worker_impl.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>
#include <chrono>
#include <utility>

namespace prong::detail {
namespace {

// How long accepting pauses when this process has no descriptor left.
constexpr std::chrono::milliseconds accept_pause{100};

}  // namespace

acceptor_impl::acceptor_impl(std::shared_ptr<worker_impl> owner)
    : owner_(std::move(owner)),
      listens_(owner_->executor()),
      accepts_(owner_->executor()),
      pause_(owner_->executor()) {}

void acceptor_impl::open() {
  if (std::exchange(closed_, false)) id_ = owner_->add(*this);
}

void acceptor_impl::close() {
  if (std::exchange(closed_, true)) return;
  drain();
  request_.reset();
  failure_.clear();
  owner_->remove(id_);
}

// Ends all operations. An own listening socket is closed: connections in its backlog are for the
// other workers that share it.
void acceptor_impl::drain() {
  stop_taking();
  own_.reset();
  bound_.reset();
  pause_.cancel();
  waiting_ = false;
  ++round_;
  listens_.complete_all(asio::error::operation_aborted);
  accepts_.complete_all(asio::error::operation_aborted);
}

void acceptor_impl::cancel() {
  if (ended()) return;
  for (auto count = accepts_.size(); !own_ && count > 0; --count) owner_->accept_cancelled(id_);
  stop_taking();
  listens_.complete_all(asio::error::operation_aborted);
  accepts_.complete_all(asio::error::operation_aborted);
}

// --- Listening ----------------------------------------------------------------------------------

void acceptor_impl::listen(core::listen_request const& what) {
  request_ = what;
  failure_.clear();
  ensure_listening();
}

bool acceptor_impl::ensure_listening() {
  if (!request_) return false;
  if (bound_ || failure_ || ended()) return true;
  if (owner_->is_standalone())
    listen_here();
  else
    owner_->listen(id_, *request_);
  return true;
}

void acceptor_impl::listen_here() {
  error_code ec;
  os::listener socket(owner_->executor(), {request_->where, request_->backlog, request_->v6_only},
                      ec);
  if (ec) {
    fail(ec);
    return;
  }
  bound_ = socket.local_endpoint();
  use(std::move(socket));
}

void acceptor_impl::on_listened(error_code result, core::endpoint const& bound, os::socket shared) {
  if (result) {
    fail(result);
    return;
  }
  bound_ = bound;
  if (!shared) {
    listens_.complete_all({});
    return;
  }
  error_code ec;
  os::listener socket(owner_->executor(), std::move(shared), ec);
  if (ec)
    fail(ec);
  else
    use(std::move(socket));
}

void acceptor_impl::use(os::listener socket) {
  own_.emplace(std::move(socket));
  listens_.complete_all({});
  accept_here();
}

// The operations that wait hear of it; if there is none, the next one does.
void acceptor_impl::fail(error_code ec) {
  bound_.reset();
  if (listens_.empty() && accepts_.empty()) failure_ = ec;
  listens_.complete_all(ec);
  accepts_.complete_all(ec);
}

void acceptor_impl::wait_listening(handler<void(error_code)> completion) {
  auto failure = std::exchange(failure_, {});
  if (ended())
    failure = asio::error::operation_aborted;
  else if (!request_)
    failure = asio::error::invalid_argument;
  if (failure || bound_) {
    post_completion(owner_->executor(), std::move(completion), failure);
    return;
  }
  listens_.add(std::move(completion));
  ensure_listening();
}

// --- Accepting ----------------------------------------------------------------------------------

void acceptor_impl::accept(handler<void(error_code, socket_handle)> completion) {
  auto failure = std::exchange(failure_, {});
  if (ended())
    failure = asio::error::operation_aborted;
  else if (!request_)
    failure = asio::error::invalid_argument;
  if (failure) {
    post_completion(owner_->executor(), std::move(completion), failure, socket_handle());
    return;
  }
  accepts_.add(std::move(completion), [weak = weak_from_this()](asio::cancellation_type) {
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

waiting_list<void(error_code, socket_handle)>::operation acceptor_impl::take_waiting() {
  return accepts_.take_first();
}

void acceptor_impl::accept_here() {
  if (accepts_.empty() || std::exchange(waiting_, true)) return;
  own_->async_wait(
      handler<void(error_code)>([self = shared_from_this(), round = round_](error_code ec) {
        if (round == self->round_) self->on_connections(ec);
      }));
}

void acceptor_impl::on_connections(error_code ec) {
  waiting_ = false;
  if (ec == asio::error::operation_aborted) return accept_here();  // somebody may wait again
  while (!ec && own_ && !accepts_.empty()) {
    auto connection = own_->accept(ec);
    if (!ec) accepts_.complete_first({}, std::move(connection));
  }
  if (!own_) return;
  if (ec && ec != asio::error::would_block)
    pause();
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
    accepts_.complete_first({}, std::move(connection));
  }
}

// There is no descriptor left. The program's operations go on waiting until there is.
void acceptor_impl::pause() {
  waiting_ = true;
  auto on_time = [weak = weak_from_this(), round = round_](error_code ec) {
    if (auto const self = weak.lock(); self && !ec && round == self->round_)
      self->on_connections({});
  };
  pause_.async_wait_for(accept_pause, handler<void(error_code)>(std::move(on_time)));
}

// --- For the acceptor template ------------------------------------------------------------------

std::shared_ptr<acceptor_impl> make_acceptor(worker& owner) {
  auto made = std::make_shared<acceptor_impl>(owner.impl());
  made->open();
  return made;
}

void listen(acceptor_impl& acceptor, asio::ip::tcp::endpoint const& endpoint,
            listen_options const& settings) {
  acceptor.listen({endpoint, settings.backlog, settings.v6_only});
}

void async_listen(acceptor_impl& acceptor, handler<void(error_code)> completion) {
  acceptor.wait_listening(std::move(completion));
}

void async_accept(acceptor_impl& acceptor, handler<void(error_code, socket_handle)> completion) {
  acceptor.accept(std::move(completion));
}

asio::ip::tcp::endpoint local_endpoint(acceptor_impl const& acceptor, error_code& ec) {
  ec = acceptor.bound() ? error_code() : error_code(asio::error::not_connected);
  return acceptor.bound().value_or(asio::ip::tcp::endpoint());
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

}  // namespace prong::detail
