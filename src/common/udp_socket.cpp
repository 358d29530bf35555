// class udp_socket: passes everything on.
// SPDX-License-Identifier: BSL-1.0
#include <prong/udp_socket.hpp>

#include "common/udp_impl.hpp"

#include <boost/asio/error.hpp>
#include <utility>

namespace prong {
namespace {

detail::listen_request request(endpoint where, listen_options settings) {
  detail::listen_request what;
  what.where = std::move(where);
  what.how = settings;
  return what;
}

}  // namespace

udp_socket::udp_socket(worker& owner) : impl_(std::make_shared<detail::udp_impl>(owner.impl())) {
  impl_->open();
}
udp_socket::udp_socket(worker& owner, endpoint_type const& where, listen_options settings)
    : udp_socket(owner) {
  bind(where, settings);
}
udp_socket::udp_socket(worker& owner, primary_socket from, listen_options settings)
    : udp_socket(owner) {
  auto what = request(endpoint_type(), settings);
  what.from = std::move(from);
  impl_->listen(std::move(what));
}

udp_socket& udp_socket::operator=(udp_socket&& other) noexcept {
  if (this == &other) return *this;
  if (impl_) impl_->close();
  impl_ = std::move(other.impl_);
  return *this;
}
udp_socket::~udp_socket() {
  if (impl_) impl_->close();
}

udp_socket::executor_type udp_socket::get_executor() const {
  return impl_->executor();
}

void udp_socket::bind(endpoint_type const& where, listen_options settings) {
  impl_->open();
  impl_->listen(request(where, settings));
}

void udp_socket::assign(socket_handle native, error_code& ec) {
  impl_->open();
  impl_->assign(transport::udp, std::move(native), ec);
}
void udp_socket::assign(socket_handle native) {
  error_code ec;
  assign(std::move(native), ec);
  if (ec) throw boost::system::system_error(ec, "prong::udp_socket::assign");
}

udp_socket::endpoint_type udp_socket::local_endpoint(error_code& ec) const {
  ec = impl_->listens() ? error_code() : error_code(asio::error::not_connected);
  return impl_->listens() ? impl_->bound().udp() : endpoint_type();
}
udp_socket::endpoint_type udp_socket::local_endpoint() const {
  error_code ec;
  auto result = local_endpoint(ec);
  if (ec) throw boost::system::system_error(ec, "prong::udp_socket::local_endpoint");
  return result;
}

std::string const& udp_socket::failure() const noexcept {
  return impl_->failure();
}

void udp_socket::cancel() {
  impl_->cancel();
}
void udp_socket::close() {
  impl_->close();
}

void udp_socket::start_bind(detail::handler<void(error_code)> completion) {
  impl_->wait_listening(std::move(completion));
}
void udp_socket::start_receive(asio::mutable_buffer into, endpoint_type& from,
                               detail::handler<void(error_code, std::size_t)> completion) {
  impl_->receive(into, from, std::move(completion));
}
void udp_socket::start_send(asio::const_buffer what, endpoint_type const& to,
                            detail::handler<void(error_code, std::size_t)> completion) {
  impl_->send(what, to, std::move(completion));
}

}  // namespace prong
