// Sockets of TCP and UDP, bound as an acceptor asks for it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <prong/listen_options.hpp>

#include <sys/socket.h>

namespace prong::posix {

// Sockets that have this one may have one address together, and the system divides among them what
// arrives. Elsewhere SO_REUSEPORT exists, and the last one to bind gets everything.
#if defined(SO_REUSEPORT_LB)
inline constexpr int divide_option = SO_REUSEPORT_LB;
#elif defined(__linux__)
inline constexpr int divide_option = SO_REUSEPORT;
#else
inline constexpr int divide_option = 0;
#endif
inline constexpr bool sockets_divide = divide_option != 0;

/// `type`: SOCK_STREAM or SOCK_DGRAM. Close-on-exec and non-blocking.
unique_fd bind_socket(detail::listen_request const& request, int type, error_code& ec);

}  // namespace prong::posix
