// Feeds any bytes to the frame reader, in pieces, and every frame to the decoder. The first byte
// of the input chooses the pieces. Checks that the pieces make no difference, and that what
// decodes is the same after it was encoded and decoded again.
// SPDX-License-Identifier: BSL-1.0
#include "common/wire/control.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace prong::wire {
namespace {

using bytes = std::vector<std::byte>;

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "wire_fuzz: %s\n", what);
  std::abort();
}

void check_decoder(frame_view const& frame) {
  // In memory of its own, so that a read beyond the payload is seen.
  bytes const payload(frame.payload.begin(), frame.payload.end());
  auto const what = decode({frame.header, payload});
  if (!what) return;
  require(kind_of(*what) == frame.kind(), "the kind changed");
  bytes again;
  encode(*what, again);
  auto const all = std::span<std::byte const>(again);
  frame_view const second{frame_header::decode(all.first<header_size>()), all.subspan(header_size)};
  require(second.header.length == second.payload.size(), "a wrong length was encoded");
  require(second.has_socket() == frame.has_socket(), "the socket's flag changed");
  auto const same = decode(second);
  require(same && *same == *what, "a frame changed in a round trip");
}

struct outcome {
  bytes frames;  // all of them, header and payload
  bool malformed = false;
  friend bool operator==(outcome const&, outcome const&) = default;
};

void drain(frame_reader& reader, outcome& into) {
  frame_view frame;
  auto result = reader.next(frame);
  for (; result == frame_reader::result::frame; result = reader.next(frame)) {
    require(frame.payload.size() == frame.header.length, "a payload has the wrong size");
    std::array<std::byte, header_size> header{};
    frame.header.encode(header);
    into.frames.insert(into.frames.end(), header.begin(), header.end());
    into.frames.insert(into.frames.end(), frame.payload.begin(), frame.payload.end());
    check_decoder(frame);
  }
  bool const malformed = result == frame_reader::result::malformed;
  require(malformed || !into.malformed, "a malformed stream recovered");
  into.malformed = malformed;
}

template <class NextSize>
outcome read(std::span<std::byte const> stream, NextSize next_size) {
  frame_reader reader;
  outcome all;
  while (!stream.empty()) {
    auto const piece = stream.first(std::min<std::size_t>(next_size(), stream.size()));
    stream = stream.subspan(piece.size());
    auto const room = reader.prepare(piece.size());
    require(room.size() >= piece.size(), "too little room");
    std::ranges::copy(piece, room.begin());
    reader.commit(piece.size());
    drain(reader, all);
  }
  return all;
}

}  // namespace
}  // namespace prong::wire

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace prong::wire;
  if (size == 0) return 0;
  auto const stream = std::as_bytes(std::span(data + 1, size - 1));
  std::minstd_rand random(data[0] + 1u);
  auto const whole = read(stream, [&] { return stream.size(); });
  auto const cut = read(stream, [&] { return 1 + random() % 40; });
  require(whole == cut, "the cuts made a difference");
  return 0;
}
