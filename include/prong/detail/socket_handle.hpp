// The one owner of a native socket on its way from one process to another, and what else differs
// between platforms where anybody can see it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <utility>

namespace prong::detail {

#if defined(_WIN32)
using native_socket = std::uintptr_t;  // a SOCKET, without <winsock2.h>
inline constexpr native_socket no_socket = ~native_socket{0};
// As Node: a connection that the primary accepted costs more in a worker than one of its own.
inline constexpr bool workers_accept_by_default = true;
#else
using native_socket = int;
inline constexpr native_socket no_socket = -1;
inline constexpr bool workers_accept_by_default = false;
#endif

/// Closes a socket. Implemented by each platform.
void close_native_socket(native_socket socket) noexcept;

/// Owns one native socket and closes it once.
class socket_handle {
 public:
  socket_handle() = default;
  explicit socket_handle(native_socket native) noexcept : native_(native) {}
  socket_handle(socket_handle&& other) noexcept : native_(other.release()) {}
  socket_handle& operator=(socket_handle&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~socket_handle() { reset(); }

  explicit operator bool() const noexcept { return native_ != no_socket; }
  native_socket get() const noexcept { return native_; }
  native_socket release() noexcept { return std::exchange(native_, no_socket); }
  void reset(native_socket native = no_socket) noexcept {
    if (native_ != no_socket) close_native_socket(native_);
    native_ = native;
  }

 private:
  native_socket native_ = no_socket;
};

}  // namespace prong::detail
