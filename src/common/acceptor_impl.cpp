// An acceptor's shell, and the functions by which the acceptor template reaches it.
// SPDX-License-Identifier: BSL-1.0
#include "common/worker_impl.hpp"

#include <prong/error.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdint>
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
      resolver_(owner_->executor()),
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
  listens_now_ = false;
  resolver_.cancel();
  resolves_ = false;
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

void acceptor_impl::listen(listen_request what) {
  request_ = std::move(what);
  failure_.clear();
  if (!closed_) owner_->limit(id_, room(), request_->how.drop_max_connections);
  ensure_listening();
}

bool acceptor_impl::ensure_listening() {
  if (!request_) return false;
  if (listens_now_ || failure_ || resolves_ || ended()) return true;
  if (request_->host.empty())
    ask();
  else
    resolve();
  return true;
}

// Here and not in the primary, as in Node: the answer may take long.
void acceptor_impl::resolve() {
  resolves_ = true;
  using results = asio::ip::tcp::resolver::results_type;
  auto use_first = [self = shared_from_this(), round = round_](error_code ec, results const& all) {
    if (round != self->round_) return;
    self->resolves_ = false;
    if (ec) return self->fail(ec);
    auto first = std::find_if(all.begin(), all.end(), [](auto const& each) {
      auto const address = each.endpoint().address();
      return !address.is_v6() || !address.to_v6().is_link_local();
    });
    if (first == all.end()) first = all.begin();
    self->request_->where = first->endpoint();
    self->ask();
  };
  auto const port = std::to_string(request_->where.port);
  resolver_.async_resolve(
      request_->host, port,
      asio::ip::resolver_base::passive | asio::ip::resolver_base::numeric_service,
      std::move(use_first));
}

void acceptor_impl::ask() {
  if (owner_->is_standalone() || request_->how.exclusive || request_->how.reuse_port)
    listen_here();
  else
    owner_->listen(id_, *request_);
}

void acceptor_impl::listen_here() {
  error_code ec;
  os::listener socket(owner_->executor(), *request_, ec);
  if (ec) {
    owner_->listens_alone(id_, request_->where, ec);
    fail(ec);
  } else {
    listen_here(std::move(socket));
  }
}

void acceptor_impl::listen_here(os::listener socket) {
  bound_ = socket.local_endpoint();
  owner_->listens_alone(id_, bound_, {});
  use(std::move(socket));
}

void acceptor_impl::assign(transport kind, os::socket listening, error_code& ec) {
  os::listener socket(owner_->executor(), std::move(listening), ec);
  if (!ec && socket.local_endpoint().transport != kind) ec = asio::error::invalid_argument;
  if (!ec && (listens_now_ || ended())) ec = asio::error::already_open;
  if (ec) return;
  request_.emplace();
  failure_.clear();
  listen_here(std::move(socket));
}

void acceptor_impl::on_listened(error_code result, endpoint const& bound, os::socket shared) {
  // The primary's socket may be of another kind than this acceptor.
  if (!result && bound.transport != request_->where.transport)
    result = asio::error::invalid_argument;
  if (result) {
    fail(result);
    return;
  }
  bound_ = bound;
  if (!shared) {
    listens_now_ = true;
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
  listens_now_ = true;
  listens_.complete_all({});
  accept_here();
}

// The operations that wait hear of it; if there is none, the next one does.
void acceptor_impl::fail(error_code ec) {
  listens_now_ = false;
  failure_text_ = fmt::format("{}: {}", to_string(*request_), ec.message());
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
  if (failure || listens_now_) {
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
  delivered();
  return accepts_.take_first();
}

void acceptor_impl::accept_here() {
  bool const wanted =
      own_ && !accepts_.empty() && (room() > 0 || request_->how.drop_max_connections);
  if (!wanted || std::exchange(waiting_, true)) return;
  own_->async_wait(
      handler<void(error_code)>([self = shared_from_this(), round = round_](error_code ec) {
        if (round == self->round_) self->on_connections(ec);
      }));
}

void acceptor_impl::on_connections(error_code ec) {
  waiting_ = false;
  if (ec == asio::error::operation_aborted) return accept_here();  // somebody may wait again
  bool const turns_away = request_->how.drop_max_connections;
  while (!ec && own_ && !accepts_.empty() && (room() > 0 || turns_away)) {
    auto connection = own_->accept(ec);
    if (!ec && room() == 0)
      ++turned_away_;
    else if (!ec)
      take_waiting().complete({}, std::move(connection));
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
    take_waiting().complete({}, std::move(connection));
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

// --- Counting -----------------------------------------------------------------------------------

std::size_t acceptor_impl::room() const noexcept {
  if (!request_ || !request_->how.max_connections) return SIZE_MAX;
  auto const most = *request_->how.max_connections;
  return most > open_ ? most - open_ : 0;
}

void acceptor_impl::room_changed() {
  if (closed_ || !request_ || !request_->how.max_connections) return;
  owner_->limit(id_, room(), request_->how.drop_max_connections);
  accept_here();
}

// A connection counts as open until its handler has had its turn to count it.
void acceptor_impl::delivered() {
  if (!request_ || !request_->how.max_connections) return;
  ++open_;
  room_changed();
  asio::post(executor(), [self = shared_from_this()] {
    --self->open_;
    self->room_changed();
  });
}

void acceptor_impl::count_connection() {
  ++open_;
  owner_->connection_opened();
  room_changed();
}

void acceptor_impl::connection_ended() {
  --open_;
  owner_->connection_ended();
  room_changed();
}

// --- For the acceptor template ------------------------------------------------------------------

std::shared_ptr<acceptor_impl> make_acceptor(worker& owner) {
  auto made = std::make_shared<acceptor_impl>(owner.impl());
  made->open();
  return made;
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
  return acceptor.turned_away_count();
}

}  // namespace prong::detail
