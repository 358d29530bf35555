// Sockets that this process has already: inherited, or opened by the program.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <prong/listen_options.hpp>

namespace prong::posix {

/// A descriptor of our own of that socket, which must be of this type: SOCK_STREAM or SOCK_DGRAM.
unique_fd take_given(primary_socket const& which, int type, error_code& ec);

}  // namespace prong::posix
