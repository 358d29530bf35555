// The frame header's bytes, and the cutting of a stream into frames.
// SPDX-License-Identifier: BSL-1.0
#include "common/wire/frame.hpp"

#include "common/wire/little_endian.hpp"

#include <algorithm>
#include <cassert>

namespace prong::wire {
namespace {

// Where the fields of a header are.
constexpr std::size_t length_at = 0;
constexpr std::size_t kind_at = 4;
constexpr std::size_t flags_at = 6;
constexpr std::size_t id_at = 8;

constexpr std::uint16_t known_flags = carries_socket | 0xffu << count_at;

}  // namespace

frame_header frame_header::decode(std::span<std::byte const, header_size> bytes) noexcept {
  frame_header header;
  header.length = load_little<std::uint32_t>(bytes.data() + length_at);
  header.kind = load_little<std::uint16_t>(bytes.data() + kind_at);
  header.flags = load_little<std::uint16_t>(bytes.data() + flags_at);
  header.id = load_little<std::uint64_t>(bytes.data() + id_at);
  return header;
}

void frame_header::encode(std::span<std::byte, header_size> bytes) const noexcept {
  store_little(length, bytes.data() + length_at);
  store_little(kind, bytes.data() + kind_at);
  store_little(flags, bytes.data() + flags_at);
  store_little(id, bytes.data() + id_at);
}

std::span<std::byte> frame_reader::prepare(std::size_t least) {
  if (begin_ == end_) begin_ = end_ = 0;
  // A frame that has begun gets room for all of it at once, so that its bytes move at most once
  // however small the pieces are in which it arrives.
  std::size_t const room = std::max(least, missing());
  std::size_t const needed = buffered() + room;
  if (buffer_.size() > kept_room && needed <= kept_room) {
    std::vector<std::byte> smaller(needed);
    std::copy_n(buffer_.data() + begin_, buffered(), smaller.data());
    buffer_.swap(smaller);
    end_ = buffered();
    begin_ = 0;
  } else if (buffer_.size() - end_ < room) {
    std::copy_n(buffer_.data() + begin_, buffered(), buffer_.data());
    end_ = buffered();
    begin_ = 0;
    if (buffer_.size() < needed) buffer_.resize(needed);
  }
  return std::span(buffer_).subspan(end_);
}

void frame_reader::commit(std::size_t written) noexcept {
  assert(written <= buffer_.size() - end_);
  end_ += written;
}

frame_reader::result frame_reader::next(frame_view& into) noexcept {
  if (malformed_) return result::malformed;
  if (buffered() < header_size) return result::need_more;
  frame_header const header = first_header();
  if (header.length > max_payload || (header.flags & ~known_flags) != 0) {
    malformed_ = true;
    return result::malformed;
  }
  if (buffered() - header_size < header.length) return result::need_more;
  into.header = header;
  into.payload = std::span(buffer_).subspan(begin_ + header_size, header.length);
  begin_ += header_size + header.length;
  return result::frame;
}

frame_header frame_reader::first_header() const noexcept {
  return frame_header::decode(std::span(buffer_).subspan(begin_).first<header_size>());
}

std::size_t frame_reader::missing() const noexcept {
  if (malformed_ || buffered() < header_size) return 0;
  std::size_t const whole = header_size + std::min<std::size_t>(first_header().length, max_payload);
  return whole - std::min(whole, buffered());
}

}  // namespace prong::wire
