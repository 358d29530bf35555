// A socket that several processes share.
// SPDX-License-Identifier: BSL-1.0
#include "win32/event_socket.hpp"

#include "common/os/completing.hpp"

#include <atomic>

namespace prong::win32 {

bool event_operation::is_pending() const noexcept {
  // The system writes this from outside of the program's sight.
  auto const* const status = static_cast<ULONG_PTR const volatile*>(&system.Internal);
  bool const pending = *status == static_cast<ULONG_PTR>(STATUS_PENDING);
  std::atomic_thread_fence(std::memory_order_acquire);
  return started && pending;
}

error_code event_operation::on_started(bool done) noexcept {
  if (done) return {};
  auto const error = static_cast<DWORD>(::WSAGetLastError());
  started = error == ERROR_IO_PENDING;
  return started ? error_code() : system_error(error);
}

DWORD event_operation::finish(os::native_socket socket, DWORD& transferred) noexcept {
  started = false;
  DWORD flags = 0;
  bool const done = ::WSAGetOverlappedResult(socket, &system, &transferred, FALSE, &flags) != 0;
  return done ? ERROR_SUCCESS : static_cast<DWORD>(::WSAGetLastError());
}

DWORD option_of(os::native_socket socket, int name, error_code& ec) noexcept {
  DWORD value = 0;
  int size = sizeof value;
  auto* const bytes = reinterpret_cast<char*>(&value);
  if (::getsockopt(socket, SOL_SOCKET, name, bytes, &size) != 0) ec = last_socket_error();
  return value;
}

event_socket::event_socket(asio::any_io_executor const& executor, os::socket shared, error_code& ec)
    : socket_(std::move(shared)), event_(executor) {
  sockaddr_storage name{};
  int size = sizeof name;
  if (::getsockname(native(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    ec = last_socket_error();
    return;
  }
  family_ = name.ss_family;
  unique_handle made(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!made) {
    ec = last_error();
    return;
  }
  event_.assign(made.get(), ec);
  if (!ec) made.release();
}

endpoint event_socket::local_endpoint() const {
  asio::ip::tcp::endpoint name;  // the same bytes for UDP
  auto size = static_cast<int>(name.capacity());
  if (::getsockname(native(), name.data(), &size) != 0) return {};
  name.resize(static_cast<std::size_t>(size));
  endpoint result = name;
  error_code ignored;
  if (option_of(native(), SO_TYPE, ignored) == SOCK_DGRAM) result.transport = transport::udp;
  return result;
}

OVERLAPPED* event_socket::start(event_operation& one) noexcept {
  one.system = {};
  // The low bit keeps the completion away from a completion port; the system takes the handle
  // without it.
  auto const event = reinterpret_cast<ULONG_PTR>(event_.native_handle());
  one.system.hEvent = reinterpret_cast<HANDLE>(event | 1);
  one.started = true;
  return &one.system;
}

void event_socket::async_wait(bool is_over_already, detail::handler<void(error_code)> completion) {
  if (is_over_already) ::SetEvent(event_.native_handle());
  event_.async_wait(os::without_associations(std::move(completion)));
}

}  // namespace prong::win32
