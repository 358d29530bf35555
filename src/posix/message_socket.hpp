// One sendmsg and one recvmsg of the channel: bytes, and the descriptors that travel with them.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "common/wire/frame.hpp"
#include "posix/fd.hpp"

#include <deque>
#include <span>

namespace prong::posix {

/// Cuts a batch into pieces for sendmsg so that a frame that carries a socket is always at the
/// front of its piece, and no piece has two. So at most one descriptor goes with one sendmsg, and
/// as it goes with the first byte, a piece that was sent in part never has it to send again.
class outbound {
 public:
  explicit outbound(os::outgoing const& batch) noexcept
      : bytes_(batch.frames), sockets_(batch.sockets) {}

  bool empty() const noexcept { return bytes_.empty(); }
  /// Sends as much as `fd` takes; `would_block` when that was not all.
  error_code send_to(int fd) noexcept;

 private:
  struct piece {
    std::span<std::byte const> bytes;
    bool with_socket = false;
  };

  piece next() const noexcept;
  void advance(piece const& current, std::size_t sent) noexcept;

  std::span<std::byte const> bytes_;
  std::span<os::native_socket const> sockets_;
  std::size_t begun_ = 0;  // how many bytes at the front belong to a frame that was begun
};

/// The sockets that have arrived and wait for their frames. Bytes of an earlier piece can arrive
/// together with a descriptor of a later one, so it is order alone that pairs them.
using arrivals = std::deque<os::socket>;

/// Receives once. 0 bytes are the end of the channel.
std::size_t receive_from(int fd, std::span<std::byte> into, arrivals& sockets,
                         error_code& ec) noexcept;

}  // namespace prong::posix
