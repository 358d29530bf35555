// Accepting connections with AcceptEx.
// SPDX-License-Identifier: BSL-1.0
#include "win32/accepting.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/error.hpp>

namespace prong::win32 {
namespace {

LPFN_ACCEPTEX find_accept_ex(os::native_socket socket, error_code& ec) noexcept {
  GUID id = WSAID_ACCEPTEX;
  LPFN_ACCEPTEX found = nullptr;
  DWORD size = 0;
  if (::WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &found, sizeof found,
                 &size, nullptr, nullptr) != 0) {
    ec = last_socket_error();
  }
  return found;
}

int family_of(os::native_socket socket, error_code& ec) noexcept {
  sockaddr_storage name{};
  int size = sizeof name;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    ec = last_socket_error();
  }
  return name.ss_family;
}

// The connection was broken before it was accepted, or AcceptEx was cancelled. The next one may
// be good.
bool is_of_one_connection(DWORD error) noexcept {
  switch (error) {
    case WSAECONNRESET:
    case WSAECONNABORTED:
    case WSAENETRESET:
    case WSAENOTCONN:
    case ERROR_NETNAME_DELETED:
    case ERROR_CONNECTION_ABORTED:
    case ERROR_OPERATION_ABORTED: return true;
    default: return false;
  }
}

}  // namespace

os::socket open_stream_socket(int family, error_code& ec) noexcept {
  os::socket made(::WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                               WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (!made) ec = last_socket_error();
  return made;
}

accepting::accepting(asio::any_io_executor const& executor, os::socket listening, std::size_t ahead,
                     error_code& ec)
    : listening_(std::move(listening)), happened_(executor), slots_(ahead) {
  family_ = family_of(listening_.get(), ec);
  if (!ec) accept_ex_ = find_accept_ex(listening_.get(), ec);
  if (ec) return;
  unique_handle event(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  if (!event) {
    ec = last_error();
    return;
  }
  happened_.assign(event.get(), ec);
  if (!ec) event.release();
}

// The handle of a socket that others share may be closed without ending what is pending on it: the
// system would go on writing into the slots.
accepting::~accepting() {
  cancel();
}

bool accepting::is_pending(slot const& one) noexcept {
  // The system writes this from outside of the program's sight.
  auto const* const status = static_cast<ULONG_PTR const volatile*>(&one.operation.Internal);
  bool const pending = *status == static_cast<ULONG_PTR>(STATUS_PENDING);
  std::atomic_thread_fence(std::memory_order_acquire);
  return one.started && pending;
}

error_code accepting::start(slot& one) noexcept {
  error_code ec;
  if (!one.connection) one.connection = open_stream_socket(family_, ec);
  if (ec) return ec;
  one.operation = {};
  // The low bit keeps the completion away from the completion port that another process may have
  // bound the shared socket to; the system takes the handle without it.
  auto const event = reinterpret_cast<ULONG_PTR>(happened_.native_handle());
  one.operation.hEvent = reinterpret_cast<HANDLE>(event | 1);
  constexpr DWORD each = sizeof(sockaddr_storage) + 16;
  DWORD received = 0;
  one.started = true;
  if (!accept_ex_(listening_.get(), one.connection.get(), one.addresses.data(), 0, each, each,
                  &received, &one.operation)) {
    DWORD const error = static_cast<DWORD>(::WSAGetLastError());
    one.started = error == ERROR_IO_PENDING;
    if (!one.started) ec = system_error(error);
  }
  return ec;
}

void accepting::async_wait(detail::handler<void(error_code)> completion) {
  auto const event = happened_.native_handle();
  ::ResetEvent(event);
  // To start an operation resets the event as well, so what is over is looked for afterwards.
  for (auto& each : slots_) {
    if (!each.started && !failure_) failure_ = start(each);
  }
  if (failure_ || std::ranges::any_of(slots_, is_over)) ::SetEvent(event);
  happened_.async_wait(std::move(completion));
}

// Whether the slot has a connection. It is free afterwards, or keeps its socket for the next one.
bool accepting::finish(slot& one, error_code& ec) noexcept {
  DWORD received = 0;
  DWORD flags = 0;
  one.started = false;
  if (!::WSAGetOverlappedResult(listening_.get(), &one.operation, &received, FALSE, &flags)) {
    DWORD const error = static_cast<DWORD>(::WSAGetLastError());
    if (error != ERROR_OPERATION_ABORTED) one.connection.reset();
    if (!is_of_one_connection(error)) ec = system_error(error);
    return false;
  }
  // Without this the socket has no addresses and cannot be shut down. It must come before the
  // socket goes to another process.
  auto const listening = static_cast<SOCKET>(listening_.get());
  if (::setsockopt(one.connection.get(), SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                   reinterpret_cast<char const*>(&listening), sizeof listening) != 0) {
    one.connection.reset();  // the client is gone
    return false;
  }
  return true;
}

os::socket accepting::take(error_code& ec) noexcept {
  ec.clear();
  for (auto& each : slots_) {
    if (!is_over(each)) continue;
    if (finish(each, ec)) return std::move(each.connection);
    if (ec) return {};
  }
  ec = failure_ ? std::exchange(failure_, {}) : error_code(asio::error::would_block);
  return {};
}

void accepting::cancel() noexcept {
  if (!happened_.is_open()) return;
  error_code ignored;
  happened_.cancel(ignored);
  auto const socket = reinterpret_cast<HANDLE>(listening_.get());
  for (auto& each : slots_) {
    if (is_pending(each)) ::CancelIoEx(socket, &each.operation);
  }
  while (std::ranges::any_of(slots_, is_pending)) {
    ::WaitForSingleObject(happened_.native_handle(), INFINITE);
    ::ResetEvent(
        happened_.native_handle());  // it may have been set long ago: look, then wait again
  }
}

}  // namespace prong::win32
