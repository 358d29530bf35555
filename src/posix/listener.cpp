// The listening socket. Connections are accepted by hand and never registered with the reactor,
// so that they can go to another process without a trace here.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/listener.hpp"

#include "posix/bound_socket.hpp"
#include "posix/calls.hpp"
#include "posix/shared_socket.hpp"

#include <boost/asio/error.hpp>

namespace prong::os {
namespace {

using posix::last_error;
using posix::unique_fd;

unique_fd bind_and_listen(listen_request const& request, error_code& ec) {
  auto fd = posix::bind_socket(request, SOCK_STREAM, ec);
  if (!ec && ::listen(fd.get(), request.how.backlog) == -1) ec = last_error();
  return fd;
}

enum class failure { none_waiting, connection_broke, resources };

// What accept(2) says: errors of the new connection's network are to be treated like EAGAIN; as
// that connection is out of the queue by then, the next one can be tried at once.
failure classify(int error) noexcept {
  switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
      return failure::none_waiting;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
#if defined(ENONET)
    case ENONET:
#endif
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH: return failure::connection_broke;
    default: return failure::resources;
  }
}

}  // namespace

class listener::impl : public posix::shared_socket {
 public:
  using shared_socket::shared_socket;
};

listener::listener(asio::any_io_executor executor, listen_request const& request, error_code& ec) {
  ec.clear();
  auto fd = bind_and_listen(request, ec);
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(fd), ec);
}

listener::listener(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  bool const listening = posix::option_of(adopted.get(), SO_ACCEPTCONN, ec) != 0;
  if (!ec && !listening) ec = asio::error::invalid_argument;
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(adopted), ec);
}

listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

endpoint listener::local_endpoint() const {
  return impl_->local_endpoint();
}

socket listener::duplicate(error_code& ec) const {
  ec.clear();
  return impl_->duplicate(ec);
}

void listener::async_wait(detail::handler<void(error_code)> completion) {
  impl_->async_wait(std::move(completion));
}

socket listener::accept(error_code& ec) {
  ec.clear();
  if (impl_->cancelled()) {
    ec = asio::error::would_block;
    return {};
  }
  for (;;) {
    if (auto fd = posix::accept_connection(impl_->native())) return fd;
    int const error = errno;
    switch (classify(error)) {
      case failure::connection_broke: continue;
      case failure::none_waiting: ec = asio::error::would_block; return {};
      case failure::resources: ec = posix::system_error(error); return {};
    }
  }
}

void listener::cancel() noexcept {
  impl_->cancel();
}

}  // namespace prong::os
