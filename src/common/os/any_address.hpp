// What "any address" is, the same for every backend: [::] with both versions of IP, or 0.0.0.0
// where there is no IPv6.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/listen_options.hpp>

#include <boost/asio/error.hpp>

namespace prong::os {

/// Calls `bind(endpoint, error_code&)`, which makes a socket, for where the request says.
template <class Bind>
socket bind_as_asked(detail::listen_request const& request, Bind bind, error_code& ec) {
  if (!request.any_address) return bind(request.where, ec);
  auto where = request.where;
  where.address = asio::ip::address_v6::any();
  auto made = bind(where, ec);
  // Every other reason would be one for 0.0.0.0 as well, or would leave it half of what was asked.
  bool const no_ipv6 = ec == asio::error::address_family_not_supported ||
                       ec == boost::system::errc::address_not_available;
  if (!no_ipv6 || request.how.v6_only) return made;
  ec.clear();
  where.address = asio::ip::address_v4::any();
  return bind(where, ec);
}

}  // namespace prong::os
