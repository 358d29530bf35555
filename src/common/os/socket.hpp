// The seam: a native socket and its owner. Its functions are those of
// prong/detail/native_socket.hpp.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>
#include <prong/socket_handle.hpp>

#include <cstddef>
#include <span>

namespace prong::os {

using prong::native_socket;
using socket = prong::socket_handle;

/// What has arrived on a connection, from its beginning, as much as there is room for: without
/// taking it, and without waiting. `would_block` if nothing has, `eof` if nothing will (C17).
std::size_t peek(native_socket connection, std::span<std::byte> into, error_code& ec) noexcept;

}  // namespace prong::os
