// How a worker comes to its sockets.
// SPDX-License-Identifier: BSL-1.0
#include "common/listening_impl.hpp"

#include "common/worker_impl.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <boost/asio/error.hpp>
#include <filesystem>
#include <utility>

namespace prong::detail {

listening_impl::listening_impl(std::shared_ptr<worker_impl> owner)
    : owner_(std::move(owner)), listens_(owner_->executor()), resolver_(owner_->executor()) {}

asio::any_io_executor const& listening_impl::executor() const noexcept {
  return owner_->executor();
}

bool listening_impl::ended() const noexcept {
  return closed_ || owner_->stopping();
}

void listening_impl::open() {
  if (std::exchange(closed_, false)) id_ = owner_->add(*this);
}

void listening_impl::close() {
  if (std::exchange(closed_, true)) return;
  drain();
  request_.reset();
  failure_.clear();
  owner_->remove(id_);
}

// Ends all operations. A socket of its own is closed: what waits in it is for the other workers
// that share it.
void listening_impl::drain() {
  close_own();
  listens_now_ = false;
  resolver_.cancel();
  resolves_ = false;
  ++round_;
  listens_.complete_all(asio::error::operation_aborted);
  complete_all(asio::error::operation_aborted);
}

void listening_impl::cancel_listens() {
  listens_.complete_all(asio::error::operation_aborted);
}

void listening_impl::listen(listen_request what) {
  request_ = std::move(what);
  auto& path = request_->where.path;
  // A relative path means this process's folder, also in the primary. An abstract name is no path.
  if (!path.empty() && path.front() != '\0') {
    std::error_code ignored;
    auto const absolute = std::filesystem::absolute(path, ignored);
    if (!ignored) path = absolute.string();
  }
  failure_.clear();
  if (!closed_) on_request();
  ensure_listening();
}

error_code listening_impl::failure_to_start() {
  auto const failure = std::exchange(failure_, {});
  if (ended()) return asio::error::operation_aborted;
  if (!request_) return asio::error::invalid_argument;
  return failure;
}

void listening_impl::wait_listening(handler<void(error_code)> completion) {
  auto const failure = failure_to_start();
  if (failure || listens_now_) {
    post_completion(executor(), std::move(completion), failure);
    return;
  }
  listens_.add(std::move(completion));
  ensure_listening();
}

void listening_impl::ensure_listening() {
  if (!request_ || listens_now_ || failure_ || resolves_ || ended()) return;
  if (request_->host.empty())
    ask();
  else
    resolve();
}

// Here and not in the primary, as in Node: the answer may take long.
void listening_impl::resolve() {
  resolves_ = true;
  using asio::ip::resolver_base;
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
    self->request_->where.address = first->endpoint().address();
    self->ask();
  };
  resolver_.async_resolve(request_->host, std::to_string(request_->where.port),
                          resolver_base::passive | resolver_base::numeric_service,
                          std::move(use_first));
}

void listening_impl::ask() {
  bool const alone = owner_->is_standalone() || request_->how.exclusive || request_->how.reuse_port;
  if (!alone) {
    owner_->listen(id_, *request_);
    return;
  }
  error_code ec;
  auto const bound = open_own(ec);
  owner_->listens_alone(id_, ec ? request_->where : bound, ec);
  if (ec)
    fail(ec);
  else
    use(bound);
}

void listening_impl::assign(transport kind, os::socket native, error_code& ec) {
  ec.clear();
  if (ended()) ec = asio::error::operation_aborted;
  if (!ec && listens_now_) ec = asio::error::already_open;
  if (ec) return;
  auto const bound = adopt(std::move(native), 0, ec);
  if (!ec && bound.transport != kind) ec = asio::error::invalid_argument;
  if (ec) {
    close_own();
    return;
  }
  request_.emplace().where = bound;
  failure_.clear();
  owner_->listens_alone(id_, bound, {});
  use(bound);
}

void listening_impl::on_listened(core::worker_action::listened const& what, os::socket shared) {
  auto result = what.result;
  // The primary's socket may be of another kind than this one is for.
  if (!result && what.bound.transport != request_->where.transport)
    result = asio::error::invalid_argument;
  if (!result && shared) adopt(std::move(shared), what.queue, result);
  if (result)
    fail(result);
  else
    use(what.bound);
}

void listening_impl::use(endpoint const& bound) {
  bound_ = bound;
  listens_now_ = true;
  listens_.complete_all({});
  on_use();
}

// The operations that wait hear of it; if there is none, the next one does.
void listening_impl::fail(error_code ec) {
  listens_now_ = false;
  failure_text_ = fmt::format("{}: {}", to_string(*request_), ec.message());
  if (listens_.empty() && !is_waited_for()) failure_ = ec;
  listens_.complete_all(ec);
  complete_all(ec);
}

}  // namespace prong::detail
