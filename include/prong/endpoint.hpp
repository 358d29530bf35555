// Where a worker listens: an address and a port, or a path.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <string>

namespace prong {

enum class transport : std::uint8_t {
  tcp,
  udp,
  local,  ///< a Unix-domain stream socket
};

struct endpoint {
  prong::transport transport = prong::transport::tcp;
  asio::ip::address address{};  ///< of TCP and UDP
  std::uint16_t port = 0;       ///< of TCP and UDP
  std::string path{};           ///< of a local socket; an abstract name begins with a NUL

  endpoint() = default;
  /// Of TCP.
  endpoint(asio::ip::address const& its_address, std::uint16_t its_port)
      : address(its_address), port(its_port) {}
  endpoint(asio::ip::tcp::endpoint const& from) : address(from.address()), port(from.port()) {}
  endpoint(asio::ip::udp::endpoint const& from)
      : transport(prong::transport::udp), address(from.address()), port(from.port()) {}
  endpoint(asio::local::stream_protocol::endpoint const& from)
      : transport(prong::transport::local), path(from.path()) {}

  /// The same for Asio, for those who know which of them it is.
  asio::ip::tcp::endpoint tcp() const { return {address, port}; }
  asio::ip::udp::endpoint udp() const { return {address, port}; }
  asio::local::stream_protocol::endpoint local() const { return {path}; }

  friend bool operator==(endpoint const&, endpoint const&) = default;
};

/// "127.0.0.1:8080", "[::1]:8080", "udp 127.0.0.1:53", "/run/server.socket", "@abstract".
std::string to_string(endpoint const& where);

}  // namespace prong
