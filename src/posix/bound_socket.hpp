// Sockets of TCP and UDP, bound as an acceptor asks for it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <prong/listen_options.hpp>

namespace prong::posix {

/// `type`: SOCK_STREAM or SOCK_DGRAM. Close-on-exec and non-blocking.
unique_fd bind_socket(detail::listen_request const& request, int type, error_code& ec);

}  // namespace prong::posix
