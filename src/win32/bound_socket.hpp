// Sockets of TCP and UDP, bound as an acceptor asks for it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"
#include "win32/handle.hpp"

#include <prong/listen_options.hpp>

namespace prong::win32 {

/// For overlapped operations; no program that we start inherits it. `type`: SOCK_STREAM or
/// SOCK_DGRAM.
os::socket open_socket(int family, int type, error_code& ec) noexcept;
os::socket bind_socket(detail::listen_request const& request, int type, error_code& ec);

}  // namespace prong::win32
