// One sendmsg and one recvmsg of the channel: bytes, and the descriptors that travel with them.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "common/wire/frame.hpp"
#include "posix/fd.hpp"

#include <deque>
#include <span>

namespace prong::posix {

/// Cuts a batch into pieces, each of which goes with one sendmsg, whose descriptors go with its
/// first byte: so a piece that was sent in part never has them to send again. The first frame of a
/// piece that carries a socket says in its flags how many the piece has.
class outbound {
 public:
  explicit outbound(os::outgoing const& batch) noexcept
      : bytes_(batch.frames), sockets_(batch.sockets) {}

  bool empty() const noexcept { return bytes_.empty(); }
  /// Sends as much as `fd` takes; `would_block` when that was not all.
  error_code send_to(int fd) noexcept;

 private:
  void begin_piece() noexcept;

  std::span<std::byte> bytes_;
  std::span<os::native_socket const> sockets_;
  std::size_t piece_ = 0;     // how many bytes at the front belong to the piece that was begun
  std::size_t together_ = 0;  // how many sockets are to go with it
};

/// The sockets that have arrived and wait for their frames. Bytes of an earlier piece can arrive
/// together with descriptors of a later one, so it is order alone that pairs them.
class arrivals {
 public:
  /// A frame says that so many sockets were sent from here on. Puts empty ones in the place of
  /// those that were lost; false if there cannot have been so many.
  bool begin_message(std::size_t count);
  os::socket take();
  bool empty() const noexcept { return sockets_.empty(); }
  /// How many descriptors no frame has claimed.
  std::size_t size() const noexcept { return sockets_.size(); }

 private:
  friend std::size_t receive_from(int fd, std::span<std::byte> into, arrivals& sockets,
                                  error_code& ec) noexcept;
  std::deque<os::socket> sockets_;
  std::deque<std::size_t> counts_;  // of the messages whose frames have not been read yet
};

/// Receives once. 0 bytes are the end of the channel.
std::size_t receive_from(int fd, std::span<std::byte> into, arrivals& sockets,
                         error_code& ec) noexcept;

}  // namespace prong::posix
