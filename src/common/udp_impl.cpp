// A UDP socket's shell.
// SPDX-License-Identifier: BSL-1.0
#include "common/udp_impl.hpp"

#include "common/worker_impl.hpp"

#include <boost/asio/error.hpp>
#include <span>
#include <utility>

namespace prong::detail {

udp_impl::udp_impl(std::shared_ptr<worker_impl> owner)
    : listening_impl(std::move(owner)), receives_(executor()) {}

endpoint udp_impl::open_own(error_code& ec) {
  os::datagrams opened(executor(), *request_, ec);
  if (ec) return {};
  own_.emplace(std::move(opened));
  return own_->local_endpoint();
}

endpoint udp_impl::adopt(os::socket native, std::uint32_t, error_code& ec) {
  os::datagrams adopted(executor(), std::move(native), ec);
  if (ec) return {};
  own_.emplace(std::move(adopted));
  return own_->local_endpoint();
}

// What was received ahead is delivered: nobody else has it (C12).
void udp_impl::close_own() {
  if (own_) {
    own_->cancel();
    take();
  }
  own_.reset();
  waiting_ = false;
}

void udp_impl::complete_all(error_code ec) {
  destinations_.clear();
  receives_.complete_all(ec);
}

void udp_impl::cancel() {
  if (own_) {
    own_->cancel();
    take();
  }
  cancel_listens();
  complete_all(asio::error::operation_aborted);
}

void udp_impl::receive(asio::mutable_buffer into, asio::ip::udp::endpoint& from, completion done) {
  if (auto const failure = failure_to_start()) {
    post_completion(executor(), std::move(done), failure, std::size_t{0});
    return;
  }
  auto const number = ++last_number_;
  destinations_.push_back({number, into, &from});
  receives_.add(std::move(done), [weak = std::weak_ptr(self()), number](asio::cancellation_type) {
    auto const self = weak.lock();
    if (!self) return true;
    if (self->own_ && self->destinations_.size() == 1) {
      self->own_->cancel();
      self->take();
    }
    std::erase_if(self->destinations_,
                  [number](destination const& each) { return each.number == number; });
    return true;
  });
  ensure_listening();
  if (own_) wait();
}

void udp_impl::send(asio::const_buffer what, asio::ip::udp::endpoint const& to, completion done) {
  error_code ec = asio::error::not_connected;
  if (own_)
    own_->send(std::as_bytes(std::span(static_cast<char const*>(what.data()), what.size())), to,
               ec);
  post_completion(executor(), std::move(done), ec, ec ? std::size_t{0} : what.size());
}

void udp_impl::wait() {
  if (receives_.empty() || std::exchange(waiting_, true)) return;
  own_->async_wait(handler<void(error_code)>([self = self(), round = round_](error_code ec) {
    if (round == self->round_) self->on_datagrams(ec);
  }));
}

void udp_impl::on_datagrams(error_code ec) {
  waiting_ = false;
  if (!ec) take();
  if (own_) wait();
}

void udp_impl::take() {
  while (!receives_.empty()) {
    auto const& to = destinations_.front();
    error_code ec;
    auto const bytes =
        std::as_writable_bytes(std::span(static_cast<char*>(to.into.data()), to.into.size()));
    auto const size = own_->receive(bytes, *to.from, ec);
    if (ec == asio::error::would_block) return;
    destinations_.pop_front();
    receives_.complete_first(ec, size);
  }
}

}  // namespace prong::detail
