// Sockets that this process has already.
// SPDX-License-Identifier: BSL-1.0
#include "posix/given_socket.hpp"

#include "posix/listen_fds.hpp"
#include "posix/shared_socket.hpp"

#include <sys/socket.h>
#include <boost/asio/error.hpp>

namespace prong::posix {
namespace {

bool can_be_served(int family, int type) noexcept {
  return family == AF_INET || family == AF_INET6 || (family == AF_UNIX && type == SOCK_STREAM);
}

unique_fd copy_of(int given, int type, error_code& ec) noexcept {
  auto copy = duplicate_above(given, 0, ec);
  if (ec) return {};
  int const its_type = option_of(copy.get(), SO_TYPE, ec);
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (!ec && ::getsockname(copy.get(), reinterpret_cast<sockaddr*>(&name), &size) == -1)
    ec = last_error();
  if (!ec && (its_type != type || !can_be_served(name.ss_family, type)))
    ec = asio::error::invalid_argument;
  if (ec) return {};
  return copy;
}

}  // namespace

unique_fd take_given(primary_socket const& which, int type, error_code& ec) {
  if (which.name.empty()) return copy_of(which.number, type, ec);
  // A unit may have a port of TCP and one of UDP under its one name.
  ec = system_error(ENOENT);
  for (int const fd : listen_fds_called(which.name)) {
    ec.clear();
    if (auto copy = copy_of(fd, type, ec)) return copy;
  }
  return {};
}

}  // namespace prong::posix
