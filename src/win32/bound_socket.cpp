// Sockets of TCP and UDP, bound as an acceptor asks for it.
// SPDX-License-Identifier: BSL-1.0
#include "win32/bound_socket.hpp"

#include "common/os/any_address.hpp"

#include <prong/error.hpp>

namespace prong::win32 {
namespace {

void set_option(os::native_socket socket, int level, int name, DWORD value,
                error_code& ec) noexcept {
  auto const* const bytes = reinterpret_cast<char const*>(&value);
  if (!ec && ::setsockopt(socket, level, name, bytes, sizeof value) != 0) ec = last_socket_error();
}

os::socket bind_to(endpoint const& where, listen_options const& how, int type, error_code& ec) {
  auto const address = where.tcp();  // the same bytes for UDP
  int const family = address.protocol().family();
  auto made = open_socket(family, type, ec);
  if (ec) return {};
  // With SO_REUSEADDR any program could take the address over. Nothing is needed here to use the
  // port of a primary that has just ended.
  bool const share = type == SOCK_DGRAM && how.reuse_address;
  set_option(made.get(), SOL_SOCKET, share ? SO_REUSEADDR : SO_EXCLUSIVEADDRUSE, 1, ec);
  if (family == AF_INET6) set_option(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, how.v6_only, ec);
  auto const size = static_cast<int>(address.size());
  if (!ec && ::bind(made.get(), address.data(), size) != 0) ec = last_socket_error();
  return made;
}

}  // namespace

os::socket open_socket(int family, int type, error_code& ec) noexcept {
  os::socket made(
      ::WSASocketW(family, type, 0, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
  if (!made) ec = last_socket_error();
  return made;
}

os::socket bind_socket(detail::listen_request const& request, int type, error_code& ec) {
  if (request.how.reuse_port) {
    ec = errc::not_supported;
    return {};
  }
  auto const bind = [&](endpoint const& where, error_code& failed) {
    return bind_to(where, request.how, type, failed);
  };
  return os::bind_as_asked(request, bind, ec);
}

}  // namespace prong::win32
