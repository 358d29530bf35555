// The header of the PROXY protocol, versions 1 and 2, by which a proxy says who its client is.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <optional>
#include <span>

namespace prong::core {

struct proxy_header {
  enum class state {
    incomplete,  // it may become one
    invalid,     // it is none
    whole,
  };
  state is = state::incomplete;
  /// None where the proxy speaks for itself, or does not know.
  std::optional<asio::ip::tcp::endpoint> source{};
};

/// With so many bytes no header is incomplete. What version 2 may have after its addresses is not
/// waited for.
inline constexpr std::size_t longest_proxy_header = 107;

/// What a connection begins with.
proxy_header read_proxy_header(std::span<std::byte const> bytes);

}  // namespace prong::core
