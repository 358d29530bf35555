// Closing a socket.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/socket.hpp"

#include <winsock2.h>

namespace prong::detail {

void close_native_socket(native_socket socket) noexcept {
  ::closesocket(socket);
}

}  // namespace prong::detail
