// Closing a socket, who is at its other end, and what has come from there.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/socket.hpp"

#include "posix/fd.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <boost/asio/error.hpp>

namespace prong::detail {

// No retry: after EINTR the descriptor is closed on Linux and the BSDs, and its number may already
// be another thread's.
void close_native_socket(native_socket socket) noexcept {
  ::close(socket);
}

std::size_t remote_address(native_socket socket, void* into, std::size_t size) noexcept {
  auto length = static_cast<socklen_t>(size);
  return ::getpeername(socket, static_cast<sockaddr*>(into), &length) == 0 ? length : 0;
}

}  // namespace prong::detail

namespace prong::os {

std::size_t peek(native_socket connection, std::span<std::byte> into, error_code& ec) noexcept {
  ec.clear();
  auto const size =
      posix::retry([&] { return ::recv(connection, into.data(), into.size(), MSG_PEEK); });
  if (size > 0) return static_cast<std::size_t>(size);
  ec = size == 0 ? error_code(asio::error::eof) : posix::last_error();
  if (ec == boost::system::errc::resource_unavailable_try_again) ec = asio::error::would_block;
  return 0;
}

}  // namespace prong::os
