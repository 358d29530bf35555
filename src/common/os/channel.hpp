// The seam: one end of the channel between the primary and a worker. It carries frames, in order
// and reliably; at most one socket travels with a frame. Writing and reading are in batches, so
// that a busy channel needs few system calls. CONTRACT.md says what every backend must keep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"
#include "common/wire/frame.hpp"

#include <prong/detail/async.hpp>

#include <memory>
#include <span>

namespace prong::os {

/// Whole encoded frames, and for each frame that carries a socket, in order, that socket. The
/// backend may write into the frames' flags.
struct outgoing {
  std::span<std::byte> frames;
  std::span<native_socket const> sockets;
};

/// Which of the two ends of a channel somebody has.
enum class side { primary, worker };

struct received {
  wire::frame_view frame;  // valid until the next call of async_receive
  socket attached;         // empty where the socket was lost on the way: no descriptor was free
};

class channel {
 public:
  /// The worker's end, from what the primary left in the environment, which is cleaned of prong's
  /// variables. Fails with `errc::not_a_worker` where there is none.
  static channel inherited(asio::any_io_executor executor, error_code& ec);

  channel(channel&&) noexcept;
  channel& operator=(channel&&) noexcept;
  ~channel();

  /// Sends what the operating system takes in this call; true if that was all, which costs no turn
  /// of the loop. If not, `async_send` with the same batch comes next: it goes on from there, and
  /// says what was wrong. Not while a send is under way.
  bool send_now(outgoing batch);
  /// Completes when the operating system has it all, with `asio::error::eof` when the other end is
  /// gone; any other error means that this channel carries nothing any more. Spans and sockets must
  /// outlive the operation; the sockets stay the caller's. One at a time.
  void async_send(outgoing batch, detail::handler<void(error_code)> completion);

  /// Leaves a frame without payload where the other end finds it with the next frame that it
  /// receives, or at the channel's end, even if this process dies at once; it may be found before
  /// frames that were sent earlier. Nobody is woken, and nothing waits. False if the epoch has
  /// ended, or 1024 such frames have not been taken yet. The worker's end only.
  bool leave(wire::frame_header const& frame, std::uint32_t epoch) noexcept;

  /// The epoch in which a worker may leave frames: 0 at first.
  std::uint32_t epoch() const noexcept;
  /// Ends the epoch: what was left in it has been taken, and nothing more will be. False, and
  /// nothing has changed, if something was left that `next` has not given. The primary's end only.
  bool end_epoch() noexcept;

  /// Completes when `next` has at least one frame. The end of the channel, however the system
  /// names it, is `asio::error::eof`; what no peer of ours writes is `errc::protocol_error`.
  /// Both come after all frames before them. One at a time.
  void async_receive(detail::handler<void(error_code)> completion);
  /// Takes the next frame that has arrived; false when there is none now.
  bool next(received& into);

  /// The process at the other end has exited: deliver what it wrote, then eof, even if somebody
  /// whom it started still holds its end.
  void peer_exited() noexcept;

  class impl;
  explicit channel(std::unique_ptr<impl> made) noexcept;  // for the backend's spawn

 private:
  std::unique_ptr<impl> impl_;
};

}  // namespace prong::os
