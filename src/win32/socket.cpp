// Closing a socket, who is at its other end, and what has come from there.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/socket.hpp"

#include "win32/handle.hpp"

#include <winsock2.h>
#include <boost/asio/error.hpp>

namespace prong::detail {

void close_native_socket(native_socket socket) noexcept {
  ::closesocket(socket);
}

std::size_t remote_address(native_socket socket, void* into, std::size_t size) noexcept {
  auto length = static_cast<int>(size);
  if (::getpeername(socket, static_cast<sockaddr*>(into), &length) != 0) return 0;
  return static_cast<std::size_t>(length);
}

}  // namespace prong::detail

namespace prong::os {

// The socket waits in its calls, and that must not be changed: it is asked first whether it would.
std::size_t peek(native_socket connection, std::span<std::byte> into, error_code& ec) noexcept {
  ec.clear();
  fd_set readable{1, {connection}};
  timeval at_once{};
  if (::select(0, &readable, nullptr, nullptr, &at_once) < 1) {
    ec = asio::error::would_block;
    return 0;
  }
  int const size = ::recv(connection, reinterpret_cast<char*>(into.data()),
                          static_cast<int>(into.size()), MSG_PEEK);
  if (size > 0) return static_cast<std::size_t>(size);
  ec = size == 0 ? error_code(asio::error::eof) : win32::last_socket_error();
  return 0;
}

}  // namespace prong::os
