// Sockets that this process has already.
// SPDX-License-Identifier: BSL-1.0
#include "win32/given_socket.hpp"

#include "win32/event_socket.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::win32 {

os::socket take_given(primary_socket const& which, int type, error_code& ec) noexcept {
  if (!which.name.empty()) {
    ec = errc::not_supported;  // nobody gives sockets names here
    return {};
  }
  auto copy = duplicate_socket(which.number, ec);
  if (ec) return {};
  auto const its_type = option_of(copy.get(), SO_TYPE, ec);
  sockaddr_storage name{};
  int size = sizeof name;
  // Fails if the socket has no address yet.
  if (!ec && ::getsockname(copy.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0)
    ec = last_socket_error();
  bool const is_ip = name.ss_family == AF_INET || name.ss_family == AF_INET6;
  if (!ec && (its_type != static_cast<DWORD>(type) || !is_ip)) ec = asio::error::invalid_argument;
  if (ec) return {};
  return copy;
}

}  // namespace prong::win32
