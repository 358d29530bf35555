// Endpoints in words.
// SPDX-License-Identifier: BSL-1.0
#include <prong/endpoint.hpp>
#include <prong/listen_options.hpp>

#include <fmt/format.h>

namespace prong {

std::string to_string(endpoint const& where) {
  if (where.transport == transport::local)
    return where.path.starts_with('\0') ? '@' + where.path.substr(1) : where.path;
  auto host = where.address.to_string();
  if (where.address.is_v6()) host = '[' + host + ']';
  return fmt::format("{}{}:{}", where.transport == transport::udp ? "udp " : "", host, where.port);
}

std::string detail::to_string(listen_request const& what) {
  if (what.from && !what.from->name.empty())
    return fmt::format("the primary's socket '{}'", what.from->name);
  if (what.from) return fmt::format("the primary's socket {}", what.from->number);
  if (!what.host.empty()) return fmt::format("{}:{}", what.host, what.where.port);
  if (what.any_address) return fmt::format("any address, port {}", what.where.port);
  return to_string(what.where);
}

}  // namespace prong
