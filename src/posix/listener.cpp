// The listening socket. Connections are accepted by hand and never registered with the reactor,
// so that they can go to another process without a trace here.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/listener.hpp"

#include "posix/bound_socket.hpp"
#include "posix/calls.hpp"
#include "posix/given_socket.hpp"
#include "posix/local_socket.hpp"
#include "posix/shared_socket.hpp"

#include <boost/asio/error.hpp>

namespace prong::os {
namespace {

using posix::last_error;
using posix::unique_fd;

unique_fd open(listen_request const& request, posix::local_file& file, error_code& ec) {
  if (request.from) return posix::take_given(*request.from, SOCK_STREAM, ec);
  switch (request.where.transport) {
    case transport::tcp: return posix::bind_socket(request, SOCK_STREAM, ec);
    case transport::local: return posix::bind_local_socket(request, file, ec);
    case transport::udp: break;
  }
  ec = asio::error::invalid_argument;
  return {};
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

bool listeners_divide() noexcept {
  return posix::sockets_divide;
}

class listener::impl : public posix::shared_socket {
 public:
  impl(asio::any_io_executor const& executor, unique_fd fd, posix::local_file file, error_code& ec)
      : shared_socket(executor, std::move(fd), ec), file_(std::move(file)) {}

 private:
  posix::local_file file_;  // of a local socket that was made here
};

listener::listener(asio::any_io_executor executor, listen_request const& request, error_code& ec) {
  ec.clear();
  posix::local_file file;
  auto fd = open(request, file, ec);
  if (ec) return;
  bool const listens = posix::option_of(fd.get(), SO_ACCEPTCONN, ec) != 0;
  if (!ec && !listens && ::listen(fd.get(), request.how.backlog) == -1) ec = last_error();
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(fd), std::move(file), ec);
}

listener::listener(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  bool const listening = posix::option_of(adopted.get(), SO_ACCEPTCONN, ec) != 0;
  if (!ec && !listening) ec = asio::error::invalid_argument;
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(adopted), posix::local_file(), ec);
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

socket listener::accept(error_code& ec, asio::ip::tcp::endpoint* from) {
  ec.clear();
  if (impl_->cancelled()) {
    ec = asio::error::would_block;
    return {};
  }
  for (;;) {
    if (auto fd = posix::accept_connection(impl_->native(), from)) return fd;
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
