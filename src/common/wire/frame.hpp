// The outer form of everything that travels on a channel: a header of 16 bytes, little-endian,
// and a payload. docs/protocol.md describes the kinds.
//
//   u32 length of the payload | u16 kind | u16 flags | u64 id
//
// The id is the connection or the acceptor that the frame is about, else 0; so the frames of which
// there are most have almost no payload.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace prong::wire {

enum class frame_kind : std::uint16_t {
  hello = 1,
  welcome,
  listen,
  listening,
  listen_failed,
  unlisten,
  offer,
  took,
  refused,
  credit,
  message,
  message_credit,
  stop,
  stopping,
  listens_alone,
};

inline constexpr std::size_t header_size = 16;
/// A message of a mebibyte must fit, with its topic.
inline constexpr std::size_t max_payload = (1u << 20) + (1u << 17);
/// The frame is accompanied by one socket.
inline constexpr std::uint16_t carries_socket = 1;
/// Where in the flags a backend may say how many sockets go with this frame and those behind it.
inline constexpr unsigned count_at = 8;

struct frame_header {
  std::uint32_t length = 0;
  std::uint16_t kind = 0;
  std::uint16_t flags = 0;
  std::uint64_t id = 0;

  static frame_header decode(std::span<std::byte const, header_size> bytes) noexcept;
  void encode(std::span<std::byte, header_size> bytes) const noexcept;
};

/// A frame inside somebody's buffer.
struct frame_view {
  frame_header header;
  std::span<std::byte const> payload;

  frame_kind kind() const noexcept { return static_cast<frame_kind>(header.kind); }
  bool has_socket() const noexcept { return (header.flags & carries_socket) != 0; }
  std::size_t sockets_together() const noexcept { return header.flags >> count_at; }
};

/// Cuts a stream of bytes, which arrives in pieces of any size, into frames. Take every frame that
/// `next` has before the next `prepare`; then each byte is moved at most once.
class frame_reader {
 public:
  enum class result { frame, need_more, malformed };

  /// What the buffer may keep for ever. A longer frame makes it grow to that frame's size; the
  /// first `prepare` after that frame, and so the first wait for more bytes, gives the rest back.
  static constexpr std::size_t kept_room = 1u << 17;

  /// Room for at least `least` more bytes, and for the rest of a frame that has begun; write into
  /// it, then `commit` what was written. Invalidates the views that `next` gave.
  std::span<std::byte> prepare(std::size_t least);
  void commit(std::size_t written) noexcept;

  /// The next whole frame. A frame that is too long or has unknown flags makes the stream
  /// malformed for good.
  result next(frame_view& into) noexcept;

  /// How many committed bytes no frame has used yet.
  std::size_t buffered() const noexcept { return end_ - begin_; }

 private:
  frame_header first_header() const noexcept;  // where a header's bytes are buffered
  std::size_t missing() const noexcept;        // bytes of the first frame that are still to come

  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;  // first byte that no frame has used
  std::size_t end_ = 0;    // one past the last committed byte
  bool malformed_ = false;
};

}  // namespace prong::wire
