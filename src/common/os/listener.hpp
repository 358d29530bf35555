// The seam: a listening socket that accepts connections without binding them to this process's
// reactor or completion port, so that they can be handed to another process.
// CONTRACT.md says what every backend must keep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/detail/async.hpp>
#include <prong/listen_options.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <memory>

namespace prong::os {

using detail::listen_request;

/// Whether listeners of one endpoint that have `reuse_port` divide its connections here.
bool listeners_divide() noexcept;

class listener {
 public:
  /// Binds and listens, or takes a socket that this process has already (`request.from`), which
  /// stays its owner's (C15). On failure `ec` says why and the object may only be destroyed.
  /// The file of a local socket is removed with the listener that made it (C14).
  listener(asio::any_io_executor executor, listen_request const& request, error_code& ec);
  /// Takes a socket that listens already: one that the primary shares with its workers.
  listener(asio::any_io_executor executor, socket adopted, error_code& ec);
  listener(listener&&) noexcept;
  listener& operator=(listener&&) noexcept;
  ~listener();

  endpoint local_endpoint() const;
  /// Another handle of the same listening socket, to attach to a frame.
  socket duplicate(error_code& ec) const;

  /// Completes when `accept` is worth a call. One at a time.
  void async_wait(detail::handler<void(error_code)> completion);
  /// The next connection, without waiting, and its client's address in `from`, if that is given; no
  /// address if the client has gone already, or the socket is a local one. Empty with
  /// `asio::error::would_block` when there is none now. Connections that broke before they were
  /// accepted are passed over (C9).
  socket accept(error_code& ec, asio::ip::tcp::endpoint* from = nullptr);
  /// Completes a pending `async_wait` with `asio::error::operation_aborted`. Until the next
  /// `async_wait` this process takes no connection from the queue: `accept` gives those that the
  /// system had taken for it by then, which nobody else can serve, and no others (C12).
  void cancel() noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace prong::os
