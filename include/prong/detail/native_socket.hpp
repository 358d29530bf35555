// A native socket, and what else differs between platforms where anybody can see it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace prong {

#if defined(_WIN32)
using native_socket = std::uintptr_t;  // a SOCKET, without <winsock2.h>
#else
using native_socket = int;
#endif

namespace detail {

#if defined(_WIN32)
inline constexpr native_socket no_socket = ~native_socket{0};
// As Node: a connection that the primary accepted costs more in a worker than one of its own.
inline constexpr bool workers_accept_by_default = true;
#else
inline constexpr native_socket no_socket = -1;
inline constexpr bool workers_accept_by_default = false;
#endif

/// Closes a socket. Implemented by each platform.
void close_native_socket(native_socket socket) noexcept;

/// Writes the address of the other end, as the system has it, into `size` bytes; returns how many
/// it has. 0 if the socket is not connected, or not any more. Implemented by each platform.
std::size_t remote_address(native_socket socket, void* into, std::size_t size) noexcept;

}  // namespace detail
}  // namespace prong
