// Sockets of TCP and UDP, bound as an acceptor asks for it.
// SPDX-License-Identifier: BSL-1.0
#include "posix/bound_socket.hpp"

#include "common/os/any_address.hpp"
#include "posix/calls.hpp"

#include <prong/error.hpp>

#include <netinet/in.h>

namespace prong::posix {
namespace {

// On Linux this lets two UDP sockets have one address. The BSDs allow that with SO_REUSEPORT only.
#if defined(__linux__)
constexpr int share_option = SO_REUSEADDR;
#else
constexpr int share_option = SO_REUSEPORT;
#endif

void set_option(int fd, int level, int name, int value, error_code& ec) noexcept {
  if (!ec && ::setsockopt(fd, level, name, &value, sizeof value) == -1) ec = last_error();
}

unique_fd bind_to(endpoint const& where, listen_options const& how, int type, error_code& ec) {
  if (how.reuse_port && !sockets_divide) {
    ec = errc::not_supported;
    return {};
  }
  auto const address = where.tcp();  // the same bytes for UDP
  int const family = address.protocol().family();
  auto made = open_socket(family, type, ec);
  if (ec) return {};
  // The port of a primary that has just ended must be usable at once.
  if (type == SOCK_STREAM) set_option(made.get(), SOL_SOCKET, SO_REUSEADDR, 1, ec);
  if (type == SOCK_DGRAM && how.reuse_address)
    set_option(made.get(), SOL_SOCKET, share_option, 1, ec);
  if (how.reuse_port) set_option(made.get(), SOL_SOCKET, divide_option, 1, ec);
  if (family == AF_INET6) set_option(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, how.v6_only, ec);
  auto const size = static_cast<socklen_t>(address.size());
  if (!ec && ::bind(made.get(), address.data(), size) == -1) ec = last_error();
  return made;
}

}  // namespace

unique_fd bind_socket(detail::listen_request const& request, int type, error_code& ec) {
  auto const bind = [&](endpoint const& where, error_code& failed) {
    return bind_to(where, request.how, type, failed);
  };
  return os::bind_as_asked(request, bind, ec);
}

}  // namespace prong::posix
