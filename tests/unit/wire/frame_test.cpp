// The frame reader: whatever the pieces in which a stream arrives, the frames are the same.
// SPDX-License-Identifier: BSL-1.0
#include "common/wire/frame.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <random>

namespace prong::wire {
namespace {

using bytes = std::vector<std::byte>;
using result = frame_reader::result;

struct whole_frame {
  frame_header header;
  bytes payload;
};

bool operator==(whole_frame const& a, whole_frame const& b) {
  return a.header.length == b.header.length && a.header.kind == b.header.kind &&
         a.header.flags == b.header.flags && a.header.id == b.header.id && a.payload == b.payload;
}

void append(frame_header header, bytes& out) {
  std::size_t const at = out.size();
  out.resize(at + header_size);
  header.encode(std::span<std::byte, header_size>(out.data() + at, header_size));
}

// The payload's bytes depend on their place and on the id, so that a mix-up shows.
void append_frame(std::uint64_t id, std::uint32_t size, bytes& out) {
  append({size, static_cast<std::uint16_t>(id % 14 + 1), static_cast<std::uint16_t>(id % 2), id},
         out);
  for (std::uint32_t i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(i + id));
}

void feed(frame_reader& reader, std::span<std::byte const> piece) {
  auto const room = reader.prepare(piece.size());
  REQUIRE(room.size() >= piece.size());
  std::ranges::copy(piece, room.begin());
  reader.commit(piece.size());
}

result drain(frame_reader& reader, std::vector<whole_frame>& into) {
  for (frame_view frame;;) {
    auto const what = reader.next(frame);
    if (what != result::frame) return what;
    into.push_back({frame.header, {frame.payload.begin(), frame.payload.end()}});
  }
}

std::vector<whole_frame> read_all(frame_reader& reader, std::span<std::byte const> stream) {
  std::vector<whole_frame> frames;
  feed(reader, stream);
  CHECK(drain(reader, frames) == result::need_more);
  return frames;
}

TEST_CASE("a header has 16 bytes, each field least significant byte first", "[unit][wire]") {
  bytes const expected{std::byte{4},    std::byte{3},    std::byte{2},    std::byte{1},
                       std::byte{6},    std::byte{5},    std::byte{8},    std::byte{7},
                       std::byte{0xff}, std::byte{0x0e}, std::byte{0x0d}, std::byte{0x0c},
                       std::byte{0x0b}, std::byte{0x0a}, std::byte{0x09}, std::byte{0x80}};
  frame_header const header{0x01020304, 0x0506, 0x0708, 0x80090a0b0c0d0eff};
  bytes out;
  append(header, out);
  CHECK(out == expected);
  auto const read = frame_header::decode(std::span(expected).first<header_size>());
  CHECK(read.length == header.length);
  CHECK(read.kind == header.kind);
  CHECK(read.flags == header.flags);
  CHECK(read.id == header.id);
}

TEST_CASE("any two cuts of a stream give the same frames", "[unit][wire]") {
  bytes stream;
  for (std::uint64_t id = 0; id < 5; ++id)
    append_frame(id, static_cast<std::uint32_t>(id * 3), stream);
  frame_reader at_once;
  auto const expected = read_all(at_once, stream);
  REQUIRE(expected.size() == 5);
  auto const all = std::span<std::byte const>(stream);
  for (std::size_t first = 0; first <= stream.size(); ++first) {
    for (std::size_t second = first; second <= stream.size(); ++second) {
      frame_reader reader;
      std::vector<whole_frame> frames;
      for (auto piece :
           {all.first(first), all.subspan(first, second - first), all.subspan(second)}) {
        feed(reader, piece);
        if (drain(reader, frames) != result::need_more) FAIL(first << ' ' << second);
      }
      if (frames != expected || reader.buffered() != 0) FAIL(first << ' ' << second);
    }
  }
}

TEST_CASE("random cuts of a long stream give the same frames", "[unit][wire]") {
  auto const seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  auto const below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  constexpr std::uint64_t count = 2000;
  bytes stream;
  for (std::uint64_t id = 0; id < count; ++id) {
    std::size_t const bound = id % 500 == 499 ? max_payload + 1 : id % 50 == 0 ? 40'000 : 40;
    append_frame(id, static_cast<std::uint32_t>(below(bound)), stream);
  }
  frame_reader at_once;
  auto const expected = read_all(at_once, stream);
  REQUIRE(expected.size() == count);

  frame_reader reader;
  std::vector<whole_frame> frames;
  for (auto rest = std::span<std::byte const>(stream); !rest.empty();) {
    std::size_t const size = 1 + below(below(10) == 0 ? 100'000 : 60'000);
    auto const piece = rest.first(std::min(size, rest.size()));
    rest = rest.subspan(piece.size());
    feed(reader, piece);
    if (drain(reader, frames) != result::need_more) FAIL("the stream broke");
  }
  CHECK((frames == expected));
  CHECK(reader.buffered() == 0);
}

TEST_CASE("frames that are not taken yet survive the arrival of more", "[unit][wire]") {
  bytes stream;
  for (std::uint64_t id = 0; id < 100; ++id) append_frame(id, 50, stream);
  frame_reader at_once;
  auto const expected = read_all(at_once, stream);
  frame_reader reader;
  std::vector<whole_frame> frames;
  for (std::size_t at = 0; at < stream.size(); at += 100) {
    feed(reader, std::span(stream).subspan(at, 100));
    frame_view one;
    if (reader.next(one) == result::frame) {
      frames.push_back({one.header, {one.payload.begin(), one.payload.end()}});
    }
  }
  drain(reader, frames);
  CHECK((frames == expected));
}

TEST_CASE("a stream that is malformed stays so, after the frames before", "[unit][wire]") {
  struct {
    std::string_view what;
    frame_header header;
  } const wrong[] = {
      {"one byte too long", {max_payload + 1, 1, 0, 0}},
      {"the longest length there is", {0xffffffff, 1, 0, 0}},
      {"an unknown flag", {0, 1, 2, 0}},
      {"an unknown flag beside a known one", {0, 1, 0x0080 | carries_socket, 0}},
  };
  for (auto const& each : wrong) {
    INFO(each.what);
    bytes stream;
    append_frame(1, 3, stream);
    append(each.header, stream);
    append_frame(2, 3, stream);
    frame_reader reader;
    std::vector<whole_frame> frames;
    feed(reader, stream);
    CHECK(drain(reader, frames) == result::malformed);
    CHECK(frames.size() == 1);
    bytes good;
    append_frame(3, 3, good);
    feed(reader, good);
    CHECK(drain(reader, frames) == result::malformed);
    CHECK(frames.size() == 1);
  }
}

TEST_CASE("a frame of the greatest length is read", "[unit][wire]") {
  bytes stream;
  append_frame(1, max_payload, stream);
  frame_reader reader;
  CHECK(read_all(reader, stream).size() == 1);
}

TEST_CASE("the reader uses the same room again and again", "[unit][wire]") {
  bytes stream;
  append_frame(1, 100, stream);
  frame_reader reader;
  auto const* const room = reader.prepare(4096).data();
  for (int i = 0; i < 1000; ++i) {
    CHECK(read_all(reader, stream).size() == 1);
    CHECK(reader.prepare(1).data() == room);
  }
}

TEST_CASE("a large frame's memory is given back at the next prepare", "[unit][wire]") {
  bytes stream;
  append_frame(1, 1u << 20, stream);
  bytes begun;
  append_frame(2, 10, begun);
  auto const tail = GENERATE(0u, 7u, 20u);  // what has come already of the frame that follows
  stream.insert(stream.end(), begun.begin(), begun.begin() + tail);
  frame_reader reader;
  std::vector<whole_frame> frames;
  feed(reader, stream);
  REQUIRE(drain(reader, frames) == result::need_more);
  REQUIRE(frames.size() == 1);
  CHECK(reader.prepare(4096).size() <= frame_reader::kept_room);
  feed(reader, std::span(begun).subspan(tail));
  REQUIRE(drain(reader, frames) == result::need_more);
  CHECK(frames.size() == 2);
}

TEST_CASE("the bytes of a large frame move at most once after its header is known",
          "[unit][wire]") {
  bytes stream;
  append_frame(1, 30, stream);
  std::size_t const first = stream.size();
  append_frame(2, 1u << 20, stream);
  auto const step = GENERATE(1u, 100u, 65'536u);
  frame_reader reader;
  std::vector<whole_frame> frames;
  feed(reader, std::span(stream).first(first + header_size));
  REQUIRE(drain(reader, frames) == result::need_more);
  std::byte const* begin = nullptr;  // where the large frame's first byte lies
  int moves = 0;
  for (std::size_t at = first + header_size; at < stream.size(); at += step) {
    auto const piece =
        std::span(stream).subspan(at, std::min<std::size_t>(step, stream.size() - at));
    auto const room = reader.prepare(piece.size());
    auto const* const now = room.data() - reader.buffered();
    if (begin && now != begin) ++moves;
    begin = now;
    std::ranges::copy(piece, room.begin());
    reader.commit(piece.size());
    if (drain(reader, frames) != result::need_more) FAIL("the stream broke");
  }
  CHECK(frames.size() == 2);
  CHECK(moves == 0);
}

}  // namespace
}  // namespace prong::wire
