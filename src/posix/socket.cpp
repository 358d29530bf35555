// Closing a socket, and who is at its other end.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/socket.hpp"

#include <sys/socket.h>
#include <unistd.h>

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
