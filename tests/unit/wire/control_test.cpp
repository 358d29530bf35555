// The payload of each kind of frame: its bytes, and what is refused.
// SPDX-License-Identifier: BSL-1.0
#include "common/wire/control.hpp"

#include "support/catch.hpp"
#include "unit/wire/samples.hpp"

#include <fstream>
#include <set>
#include <string>

namespace prong::wire {
namespace {

using bytes = std::vector<std::byte>;

bytes from_hex(std::string_view text) {
  std::string_view const digits = "0123456789abcdef";
  bytes out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    out.push_back(static_cast<std::byte>(digits.find(text[i]) * 16 + digits.find(text[i + 1])));
    i += 2;
  }
  return out;
}

bytes encoded(control const& what) {
  bytes out;
  encode(what, out);
  return out;
}

frame_view view(bytes const& frame) {
  auto const all = std::span(frame);
  return {frame_header::decode(all.first<header_size>()), all.subspan(header_size)};
}

std::string kind_name(control const& what) {
  return std::string(name(kind_of(what)));
}

// Decodes a payload that lies at the very end of its own memory, so that a sanitizer sees any
// read beyond it.
bool decodes_alone(frame_header header, std::span<std::byte const> payload) {
  std::vector<std::byte> const exact(payload.begin(), payload.end());
  return decode({header, exact}).has_value();
}

TEST_CASE("there is a sample of every kind", "[unit][wire]") {
  std::set<frame_kind> kinds;
  for (auto const& each : samples()) kinds.insert(kind_of(each.what));
  CHECK(kinds.size() == std::variant_size_v<control>);
}

TEST_CASE("every kind has the bytes that the protocol says", "[unit][wire]") {
  for (auto const& [what, hex] : samples()) {
    INFO(kind_name(what) << ": " << hex);
    CHECK(encoded(what) == from_hex(hex));
    auto const frame = from_hex(hex);
    auto const decoded = decode(view(frame));
    REQUIRE(decoded);
    CHECK((*decoded == what));
  }
}

TEST_CASE("encode appends and leaves what is there", "[unit][wire]") {
  bytes out;
  out.reserve(4096);
  auto const* const where = out.data();
  bytes expected;
  for (auto const& each : samples()) {
    encode(each.what, out);
    auto const one = from_hex(each.bytes);
    expected.insert(expected.end(), one.begin(), one.end());
  }
  CHECK(out == expected);
  CHECK(out.data() == where);
}

// Whether so many bytes at the end hold fields that a kind has got since version 1 was first
// spoken.
bool were_appended(control const& what, std::size_t size) {
  if (std::holds_alternative<listening>(what)) return size == 4 || size == 5;
  return std::holds_alternative<credit>(what) && size == 4;
}

TEST_CASE("a payload that ends too early is refused", "[unit][wire]") {
  for (auto const& each : samples()) {
    auto const frame = encoded(each.what);
    auto const whole = view(frame);
    for (std::size_t size = 0; size < whole.payload.size(); ++size) {
      INFO(kind_name(each.what) << " cut after " << size << " bytes");
      bool const of_older_program = were_appended(each.what, whole.payload.size() - size);
      CHECK(decodes_alone(whole.header, whole.payload.first(size)) == of_older_program);
    }
    CHECK(decodes_alone(whole.header, whole.payload));
  }
}

TEST_CASE("bytes after the fields that this version knows are skipped", "[unit][wire]") {
  for (auto const& each : samples()) {
    INFO(kind_name(each.what));
    auto frame = encoded(each.what);
    frame.insert(frame.end(), 5, std::byte{0xff});
    auto const decoded = decode(view(frame));
    REQUIRE(decoded);
    CHECK((*decoded == each.what));
  }
}

TEST_CASE("fields that an older program does not send have a default", "[unit][wire]") {
  auto const given = encoded(credit{1, 2, 3});
  auto frame = view(given);
  frame.payload = frame.payload.first(4);
  CHECK((std::get<credit>(decode(frame).value()) == credit{1, 2, 0}));
  auto const told = encoded(listening{1, ipv4_sample(), false, true, 2});
  frame = view(told);
  frame.payload = frame.payload.first(frame.payload.size() - 4);
  CHECK(
      (std::get<listening>(decode(frame).value()) == listening{1, ipv4_sample(), false, true, 0}));
  frame.payload = frame.payload.first(frame.payload.size() - 1);
  CHECK_FALSE(std::get<listening>(decode(frame).value()).reports);
}

TEST_CASE("a kind that this version does not know is refused", "[unit][wire]") {
  constexpr auto kinds = static_cast<std::uint16_t>(std::variant_size_v<control>);
  bytes const payload(64);
  for (std::uint32_t number = 0; number <= 0xffff; ++number) {
    frame_header header;
    header.kind = static_cast<std::uint16_t>(number);
    bool const known = number >= 1 && number <= kinds;
    if ((name(static_cast<frame_kind>(number)) == "unknown") == known) FAIL(number);
    if (!known && decode({header, payload})) FAIL(number);
  }
}

TEST_CASE("a frame with a socket that does not belong to it, or without its socket, is refused",
          "[unit][wire]") {
  for (auto const& each : samples()) {
    INFO(kind_name(each.what));
    auto const frame = encoded(each.what);
    auto wrong = view(frame);
    if (std::holds_alternative<message>(each.what)) continue;
    auto const* const started = std::get_if<listening>(&each.what);
    bool const needed = std::holds_alternative<offer>(each.what) || (started && started->shared);
    CHECK(wrong.has_socket() == needed);
    wrong.header.flags ^= carries_socket;
    CHECK_FALSE(decode(wrong));
  }
}

TEST_CASE("a message may carry a socket, and says whether it does", "[unit][wire]") {
  auto const frame = encoded(message{"topic", "body"});
  auto read = view(frame);
  CHECK_FALSE(std::get<message>(decode(read).value()).with_socket);
  read.header.flags = carries_socket;
  CHECK(std::get<message>(decode(read).value()).with_socket);
  CHECK(view(encoded(message{"topic", "body", true})).has_socket());
}

TEST_CASE("a byte that is neither true nor false is refused", "[unit][wire]") {
  struct {
    control what;
    std::size_t at;
  } const places[] = {
      {listen{1, ipv4_sample(), 0, 0, false}, 1},   // address: IPv6 or not
      {listen{1, ipv4_sample(), 0, 0, false}, 34},  // v6_only
      {listening{1, ipv4_sample(), false}, 26},     // shared
      {listen_failed{1, {}}, 0},                    // category
  };
  for (auto const& [what, at] : places) {
    INFO(kind_name(what) << " at " << at);
    auto frame = encoded(what);
    frame[header_size + at] = std::byte{2};
    CHECK_FALSE(decode(view(frame)));
  }
}

TEST_CASE("the longest message has room in a frame, and a longer one is refused", "[unit][wire]") {
  std::string const topic(max_message_topic, 't');
  std::string const body(max_message_body, 'b');
  auto frame = encoded(message{topic, body});
  REQUIRE(frame.size() - header_size <= max_payload);
  auto const decoded = decode(view(frame));
  REQUIRE(decoded);
  CHECK((*decoded == control(message{topic, body})));

  auto const length_at = header_size + 2 + topic.size();
  REQUIRE(frame[length_at] == std::byte{0});  // 0x00100000, little-endian
  frame[length_at] = std::byte{1};
  frame.push_back(std::byte{'b'});
  CHECK_FALSE(decode(view(frame)));
}

TEST_CASE("a message costs more if it is large or has a socket", "[unit][wire][I7]") {
  std::string const step(16 * 1024, 'x');
  CHECK(cost_of(message{"", ""}) == 1);
  CHECK(cost_of(message{"", std::string_view(step).substr(1)}) == 1);
  CHECK(cost_of(message{"", step}) == 2);
  CHECK(cost_of(message{std::string_view(step).substr(1), "b"}) == 2);
  CHECK(cost_of(message{"", "", true}) == 4);
  CHECK(cost_of(message{step, step, true}) == 6);
}

TEST_CASE("a message's views point into the frame", "[unit][wire]") {
  auto const frame = encoded(message{"topic", "body"});
  auto const decoded = decode(view(frame));
  REQUIRE(decoded);
  auto const& read = std::get<message>(*decoded);
  auto const* const payload = reinterpret_cast<char const*>(frame.data()) + header_size;
  CHECK(read.topic.data() == payload + 2);
  CHECK(read.body.data() == payload + 2 + 5 + 4);
}

TEST_CASE("the protocol's page has a heading for every kind", "[unit][wire]") {
  std::ifstream page(PRONG_DOCS "/protocol.md");
  REQUIRE(page);
  std::set<std::string> headings;
  for (std::string line; std::getline(page, line);) headings.insert(line);
  for (std::uint16_t number = 1; number <= std::variant_size_v<control>; ++number) {
    std::string const heading = "## " + std::string(name(static_cast<frame_kind>(number)));
    INFO(heading);
    CHECK(headings.count(heading) == 1);
  }
}

}  // namespace
}  // namespace prong::wire
