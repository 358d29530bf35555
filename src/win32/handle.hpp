// Kernel handles: their owner, and the system's errors.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <windows.h>
#include <winsock2.h>
#include <utility>

namespace prong::win32 {

inline error_code system_error(DWORD number) noexcept {
  return {static_cast<int>(number), boost::system::system_category()};
}
inline error_code last_error() noexcept {
  return system_error(::GetLastError());
}
inline error_code last_socket_error() noexcept {
  return system_error(static_cast<DWORD>(::WSAGetLastError()));
}

/// Owns a handle that is no socket. The two values by which the system says "none" are one here.
class unique_handle {
 public:
  unique_handle() = default;
  explicit unique_handle(HANDLE handle) noexcept
      : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  unique_handle(unique_handle&& other) noexcept : handle_(other.release()) {}
  unique_handle& operator=(unique_handle&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~unique_handle() { reset(); }

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  HANDLE get() const noexcept { return handle_; }
  HANDLE release() noexcept { return std::exchange(handle_, nullptr); }
  void reset(HANDLE handle = nullptr) noexcept {
    if (handle_ != nullptr) ::CloseHandle(handle_);
    handle_ = handle;
  }

 private:
  HANDLE handle_ = nullptr;
};

/// Another handle of the same object in this process.
inline unique_handle duplicate(HANDLE handle, bool inheritable, error_code& ec) noexcept {
  HANDLE copy = nullptr;
  HANDLE const self = ::GetCurrentProcess();
  if (!::DuplicateHandle(self, handle, self, &copy, 0, inheritable, DUPLICATE_SAME_ACCESS)) {
    ec = last_error();
  }
  return unique_handle(copy);
}

}  // namespace prong::win32
