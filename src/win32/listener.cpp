// The listening socket. AcceptEx takes each connection into a socket that was made for it, and
// neither that nor the listening socket ever belongs to a completion port: a socket can belong to
// one only, for ever, and that is to be the worker's.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/listener.hpp"

#include "win32/accepting.hpp"
#include "win32/bound_socket.hpp"
#include "win32/transfer.hpp"

#include <boost/asio/error.hpp>

namespace prong::os {
namespace {

using win32::last_socket_error;

// How many connections this process takes ahead of `accept`. One that shares the socket with others
// must leave in the queue what it has no use for; one that has it alone saves waits.
constexpr std::size_t ahead_when_shared = 1;
constexpr std::size_t ahead_when_alone = 8;

socket bind_and_listen(listen_request const& request, error_code& ec) {
  auto made = win32::bind_socket(request, SOCK_STREAM, ec);
  if (!ec && ::listen(made.get(), request.how.backlog) != 0) ec = last_socket_error();
  return made;
}

}  // namespace

class listener::impl {
 public:
  impl(asio::any_io_executor const& executor, socket listening, std::size_t ahead, error_code& ec)
      : accepting(executor, std::move(listening), ahead, ec) {}

  win32::accepting accepting;
};

listener::listener(asio::any_io_executor executor, listen_request const& request, error_code& ec) {
  ec.clear();
  auto made = bind_and_listen(request, ec);
  if (!ec) impl_ = std::make_unique<impl>(executor, std::move(made), ahead_when_alone, ec);
}

listener::listener(asio::any_io_executor executor, socket adopted, error_code& ec) {
  ec.clear();
  DWORD listening = 0;
  int size = sizeof listening;
  if (::getsockopt(adopted.get(), SOL_SOCKET, SO_ACCEPTCONN, reinterpret_cast<char*>(&listening),
                   &size) != 0) {
    ec = last_socket_error();
  } else if (listening == 0) {
    ec = asio::error::invalid_argument;
  } else {
    impl_ = std::make_unique<impl>(executor, std::move(adopted), ahead_when_shared, ec);
  }
}

listener::listener(listener&&) noexcept = default;
listener& listener::operator=(listener&&) noexcept = default;
listener::~listener() = default;

endpoint listener::local_endpoint() const {
  asio::ip::tcp::endpoint endpoint;
  auto size = static_cast<int>(endpoint.capacity());
  if (::getsockname(impl_->accepting.native(), endpoint.data(), &size) == 0) {
    endpoint.resize(static_cast<std::size_t>(size));
  }
  return endpoint;
}

socket listener::duplicate(error_code& ec) const {
  ec.clear();
  auto const info = win32::export_socket(impl_->accepting.native(), ::GetCurrentProcessId(), ec);
  return ec ? socket() : win32::import_socket(info, ec);
}

void listener::async_wait(detail::handler<void(error_code)> completion) {
  impl_->accepting.async_wait(std::move(completion));
}

socket listener::accept(error_code& ec) {
  return impl_->accepting.take(ec);
}

void listener::cancel() noexcept {
  impl_->accepting.cancel();
}

}  // namespace prong::os
