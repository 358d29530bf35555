// Closing a socket.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/socket.hpp"

#include <unistd.h>

namespace prong::detail {

// No retry: after EINTR the descriptor is closed on Linux and the BSDs, and its number may already
// be another thread's.
void close_native_socket(native_socket socket) noexcept {
  ::close(socket);
}

}  // namespace prong::detail
