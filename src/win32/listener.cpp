// The listening socket. AcceptEx takes each connection into a socket that was made for it, and
// neither that nor the listening socket ever belongs to a completion port: a socket can belong to
// one only, for ever, and that is to be the worker's.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/listener.hpp"

#include "win32/accepting.hpp"
#include "win32/bound_socket.hpp"
#include "win32/given_socket.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::os {
namespace {

using win32::last_socket_error;

// How many connections this process takes ahead of `accept`. One that shares the socket with others
// must leave in the queue what it has no use for; one that has it alone saves waits.
constexpr std::size_t ahead_when_shared = 1;
constexpr std::size_t ahead_when_alone = 8;

socket open(listen_request const& request, error_code& ec) {
  if (request.from) return win32::take_given(*request.from, SOCK_STREAM, ec);
  switch (request.where.transport) {
    case transport::tcp: return win32::bind_socket(request, SOCK_STREAM, ec);
    case transport::local: ec = errc::not_supported; return {};  // docs/platforms.md says why
    case transport::udp: break;
  }
  ec = asio::error::invalid_argument;
  return {};
}

}  // namespace

bool listeners_divide() noexcept {
  return false;
}

class listener::impl : public win32::accepting {
 public:
  using accepting::accepting;
};

listener::listener(asio::any_io_executor executor, listen_request const& request, error_code& ec) {
  ec.clear();
  auto made = open(request, ec);
  if (ec) return;
  bool const listens = win32::option_of(made.get(), SO_ACCEPTCONN, ec) != 0;
  if (!ec && !listens && ::listen(made.get(), request.how.backlog) != 0) ec = last_socket_error();
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(made), ahead_when_alone, ec);
}

listener::listener(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  bool const listening = win32::option_of(adopted.get(), SO_ACCEPTCONN, ec) != 0;
  if (!ec && !listening) ec = asio::error::invalid_argument;
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(adopted), ahead_when_shared, ec);
}

listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

endpoint listener::local_endpoint() const {
  return impl_->listening().local_endpoint();
}

socket listener::duplicate(error_code& ec) const {
  ec.clear();
  return impl_->listening().duplicate(ec);
}

void listener::async_wait(detail::handler<void(error_code)> completion) {
  impl_->async_wait(std::move(completion));
}

socket listener::accept(error_code& ec, asio::ip::tcp::endpoint* from) {
  auto taken = impl_->take(ec);
  if (from) *from = {};
  if (taken && from) detail::remote_address(taken.get(), from->data(), from->capacity());
  return taken;
}

void listener::cancel() noexcept {
  impl_->cancel();
}

}  // namespace prong::os
