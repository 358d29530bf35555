// The seam: a bound UDP socket that several processes may share, each of which gets some of the
// datagrams. CONTRACT.md says what every backend must keep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/detail/async.hpp>
#include <prong/listen_options.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace prong::os {

class datagrams {
 public:
  /// Binds, or takes a socket that this process has already (`request.from`), as a listener does.
  /// On failure `ec` says why and the object may only be destroyed.
  datagrams(asio::any_io_executor executor, detail::listen_request const& request, error_code& ec);
  /// Takes a socket that is bound already: one that the primary shares with its workers.
  datagrams(asio::any_io_executor executor, socket adopted, error_code& ec);
  datagrams(datagrams&&) noexcept;
  datagrams& operator=(datagrams&&) noexcept;
  ~datagrams();

  endpoint local_endpoint() const;
  /// Another handle of the same socket, to attach to a frame.
  socket duplicate(error_code& ec) const;

  /// Completes when `receive` is worth a call. One at a time.
  void async_wait(detail::handler<void(error_code)> completion);
  /// The next datagram, without waiting; how many bytes of it were written. `would_block` when
  /// there is none now, `message_size` when it was longer than `into` and lost its rest.
  std::size_t receive(std::span<std::byte> into, asio::ip::udp::endpoint& from, error_code& ec);
  /// Sends one datagram, whole or not at all; `would_block` when there is no room now.
  void send(std::span<std::byte const> what, asio::ip::udp::endpoint const& to, error_code& ec);
  /// As a listener's: completes a pending `async_wait` with `asio::error::operation_aborted`, and
  /// takes nothing more from the queue until the next (C12).
  void cancel() noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace prong::os
