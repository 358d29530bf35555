// The listening socket. Connections are accepted by hand and never registered with the reactor,
// so that they can go to another process without a trace here.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/listener.hpp"

#include "posix/bound_socket.hpp"
#include "posix/calls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

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

class listener::impl {
 public:
  impl(asio::any_io_executor const& executor, unique_fd fd, error_code& ec)
      : descriptor_(executor) {
    descriptor_.assign(fd.get(), ec);
    if (!ec) fd.release();
  }

  // The destructor of an assigned descriptor takes it out of the epoll set before closing it. That
  // matters: closing alone would leave it there for as long as another process shares the socket.
  asio::posix::stream_descriptor descriptor_;
  bool cancelled_ = false;
};

listener::listener(asio::any_io_executor executor, listen_request const& request, error_code& ec) {
  ec.clear();
  auto fd = bind_and_listen(request, ec);
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(fd), ec);
}

listener::listener(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  int listening = 0;
  socklen_t size = sizeof listening;
  // The flag belongs to the socket, which the primary made non-blocking; to set it again is
  // cheaper than to trust it, because a blocking accept would stop this process.
  if (!posix::set_non_blocking(adopted.get()) ||
      ::getsockopt(adopted.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == -1) {
    ec = last_error();
  } else if (listening == 0) {
    ec = asio::error::invalid_argument;
  } else {
    impl_ = std::make_unique<impl>(executor, std::move(adopted), ec);
  }
}

listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

endpoint listener::local_endpoint() const {
  asio::ip::tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(impl_->descriptor_.native_handle(), endpoint.data(), &size) == 0) {
    endpoint.resize(size);
  }
  return endpoint;
}

socket listener::duplicate(error_code& ec) const {
  ec.clear();
  return posix::duplicate_above(impl_->descriptor_.native_handle(), 0, ec);
}

void listener::async_wait(detail::handler<void(error_code)> completion) {
  impl_->cancelled_ = false;
  impl_->descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, std::move(completion));
}

socket listener::accept(error_code& ec) {
  ec.clear();
  if (impl_->cancelled_) {
    ec = asio::error::would_block;  // nothing was taken ahead of this call
    return {};
  }
  for (;;) {
    if (auto fd = posix::accept_connection(impl_->descriptor_.native_handle())) return fd;
    int const error = errno;
    switch (classify(error)) {
      case failure::connection_broke: continue;
      case failure::none_waiting: ec = asio::error::would_block; return {};
      case failure::resources: ec = posix::system_error(error); return {};
    }
  }
}

void listener::cancel() noexcept {
  impl_->cancelled_ = true;
  error_code ignored;
  impl_->descriptor_.cancel(ignored);
}

}  // namespace prong::os
