// Sockets that this process has already.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/listen_options.hpp>

namespace prong::win32 {

/// A handle of our own of that socket, which must be of this type: SOCK_STREAM or SOCK_DGRAM.
os::socket take_given(primary_socket const& which, int type, error_code& ec) noexcept;

}  // namespace prong::win32
