// Closing a socket, and who is at its other end.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/socket.hpp"

#include <winsock2.h>

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
