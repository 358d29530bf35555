// Accepting connections with AcceptEx.
// SPDX-License-Identifier: BSL-1.0
#include "win32/accepting.hpp"

#include "win32/bound_socket.hpp"

#include <algorithm>
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

accepting::accepting(asio::any_io_executor const& executor, os::socket listening, std::size_t ahead,
                     error_code& ec)
    : listening_(executor, std::move(listening), ec), slots_(ahead) {
  if (!ec) accept_ex_ = find_accept_ex(listening_.native(), ec);
}

// The handle of a socket that others share may be closed without ending what is pending on it: the
// system would go on writing into the slots.
accepting::~accepting() {
  cancel();
}

error_code accepting::start(slot& one) noexcept {
  error_code ec;
  if (!one.connection) one.connection = open_socket(listening_.family(), SOCK_STREAM, ec);
  if (ec) return ec;
  constexpr DWORD each = sizeof(sockaddr_storage) + 16;
  DWORD received = 0;
  auto* const operation = listening_.start(one.operation);
  return one.operation.on_started(accept_ex_(listening_.native(), one.connection.get(),
                                             one.addresses.data(), 0, each, each, &received,
                                             operation) != 0);
}

void accepting::async_wait(detail::handler<void(error_code)> completion) {
  listening_.expect();
  for (auto& each : slots_) {
    if (!each.operation.started && !failure_) failure_ = start(each);
  }
  bool const over =
      std::ranges::any_of(slots_, [](slot const& one) { return one.operation.is_over(); });
  listening_.async_wait(failure_ || over, std::move(completion));
}

// Whether the slot has a connection. It is free afterwards, or keeps its socket for the next one.
bool accepting::finish(slot& one, error_code& ec) noexcept {
  DWORD received = 0;
  if (DWORD const error = one.operation.finish(listening_.native(), received);
      error != ERROR_SUCCESS) {
    if (error != ERROR_OPERATION_ABORTED) one.connection.reset();
    if (!is_of_one_connection(error)) ec = system_error(error);
    return false;
  }
  // Without this the socket has no addresses and cannot be shut down. It must come before the
  // socket goes to another process.
  auto const listening = static_cast<SOCKET>(listening_.native());
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
    if (!each.operation.is_over()) continue;
    if (finish(each, ec)) return std::move(each.connection);
    if (ec) return {};
  }
  ec = failure_ ? std::exchange(failure_, {}) : error_code(asio::error::would_block);
  return {};
}

}  // namespace prong::win32
