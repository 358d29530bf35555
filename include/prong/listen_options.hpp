// How a worker listens. The first worker that asks for an endpoint decides for all, but for what is
// said to be the worker's own.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/native_socket.hpp>
#include <prong/endpoint.hpp>

#include <boost/asio/socket_base.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace prong {

struct listen_options {
  int backlog = asio::socket_base::max_listen_connections;
  bool v6_only = false;  ///< an IPv6 acceptor takes no IPv4 connections
  /// The worker opens the socket itself, and shares it with nobody. Its own.
  bool exclusive = false;
  /// The same, with SO_REUSEPORT: other processes that ask for it too may have the endpoint at the
  /// same time, and the system divides the connections. Linux and FreeBSD; elsewhere
  /// `errc::not_supported`, because it does not divide there. Its own.
  bool reuse_port = false;
  /// UDP: several sockets may be bound to the endpoint, two of one worker for instance.
  bool reuse_address = false;
  /// The permissions of a local socket's file, as 0600; not given: as the primary's umask says.
  std::optional<unsigned> mode{};

  /// How many connections this acceptor may have open, as `count_connection` counts them. At the
  /// limit it takes none: they go to other workers, or wait. Its own.
  std::optional<std::size_t> max_connections{};
  /// At the limit it takes connections and closes them at once, which tells clients soonest.
  bool drop_max_connections = false;
};

/// A socket that the primary's process has already, inherited or opened by itself: known there by
/// its number, or by the name that systemd gave it in LISTEN_FDNAMES (`not_supported` on Windows).
struct primary_socket {
  explicit primary_socket(native_socket its_number) noexcept : number(its_number) {}
  explicit primary_socket(std::string its_name) noexcept : name(std::move(its_name)) {}

  native_socket number = detail::no_socket;
  std::string name{};

  friend bool operator==(primary_socket const&, primary_socket const&) = default;
};

namespace detail {

/// What an acceptor asks for.
struct listen_request {
  endpoint where{};
  bool any_address = false;  // [::] and 0.0.0.0 together, or the latter where IPv6 is not
  std::string host{};        // the worker asks for its address, which then is `where`'s
  std::optional<primary_socket> from{};  // instead of opening one
  listen_options how{};
};

/// "127.0.0.1:8080", "any address, port 8080", "localhost:8080", "the primary's socket 7".
std::string to_string(listen_request const& what);

}  // namespace detail
}  // namespace prong
