// Sockets on their way between processes: what one process says of a socket, and how the other
// gets a handle of it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/detail/config.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace prong::win32 {

/// A WSAPROTOCOL_INFOW, which holds no pointers, as bytes.
inline constexpr std::size_t socket_info_size = 628;
using socket_info = std::array<std::byte, socket_info_size>;

/// Makes a handle of the socket for `receiver`, and says how it gets at it. From here on the
/// receiver has the socket, whatever becomes of the caller's handle.
socket_info export_socket(os::native_socket socket, process_id receiver, error_code& ec) noexcept;

/// The handle that another process made for this one. It is not inherited, and belongs to no
/// completion port yet.
os::socket import_socket(std::span<std::byte const, socket_info_size> bytes,
                         error_code& ec) noexcept;

/// Another handle of the same socket in this process.
os::socket duplicate_socket(os::native_socket socket, error_code& ec) noexcept;

}  // namespace prong::win32
