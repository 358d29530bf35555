// The seam: a listening socket that accepts connections without binding them to this process's
// reactor or completion port, so that they can be handed to another process.
// CONTRACT.md says what every backend must keep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/detail/async.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <memory>

namespace prong::os {

struct listen_request {
  asio::ip::tcp::endpoint endpoint;
  int backlog = asio::socket_base::max_listen_connections;
  bool v6_only = false;  // for IPv6 endpoints: do not take IPv4 connections as well
};

class listener {
 public:
  /// Binds and listens. On failure `ec` says why and the object may only be destroyed.
  listener(asio::any_io_executor executor, listen_request const& request, error_code& ec);
  /// Takes a socket that listens already: one that the primary shares with its workers.
  listener(asio::any_io_executor executor, socket adopted, error_code& ec);
  listener(listener&&) noexcept;
  listener& operator=(listener&&) noexcept;
  ~listener();

  asio::ip::tcp::endpoint local_endpoint() const;
  /// Another handle of the same listening socket, to attach to a frame.
  socket duplicate(error_code& ec) const;

  /// Completes when `accept` is worth a call. One at a time.
  void async_wait(detail::handler<void(error_code)> completion);
  /// The next connection, without waiting. Empty with `asio::error::would_block` when there is
  /// none now. Connections that broke before they were accepted are passed over (C9).
  socket accept(error_code& ec);
  /// Completes a pending `async_wait` with `asio::error::operation_aborted`. Until the next
  /// `async_wait` this process takes no connection from the queue: `accept` gives those that the
  /// system had taken for it by then, which nobody else can serve, and no others (C12).
  void cancel() noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace prong::os
