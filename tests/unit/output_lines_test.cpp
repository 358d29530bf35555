// How what a worker writes becomes lines, and how many of them may wait.
// SPDX-License-Identifier: BSL-1.0
#include "common/output_lines.hpp"

#include "support/catch.hpp"

#include <vector>

namespace prong {
namespace {

using texts = std::vector<std::string>;
constexpr auto longest = output_lines::longest;
constexpr auto most = output_lines::most_untaken;

// All lines that come now, each taken at once.
texts take_all(output_lines& from) {
  texts all;
  while (auto line = from.next()) {
    all.push_back(std::move(*line));
    from.taken();
  }
  return all;
}

// The lines of one text, which is read in pieces of `size`.
texts lines_of(std::string const& text, std::size_t size) {
  output_lines lines;
  texts all;
  auto const take = [&] {
    for (auto& each : take_all(lines)) all.push_back(std::move(each));
  };
  for (std::size_t at = 0; at < text.size(); at += size) {
    lines.add(std::string_view(text).substr(at, size));
    take();
  }
  lines.end();
  take();
  return all;
}

texts lines_of(std::string const& text) {
  auto const whole = lines_of(text, text.size() + 1);
  for (std::size_t const size : {1u, 2u, 3u}) CHECK(lines_of(text, size) == whole);
  return whole;
}

TEST_CASE("a line ends with LF, or with CR and LF", "[unit][output]") {
  CHECK(lines_of("one\ntwo\r\n\n\r\nfive\n") == texts{"one", "two", "", "", "five"});
}

TEST_CASE("a CR elsewhere is part of the line", "[unit][output]") {
  CHECK(lines_of("a\rb\r\r\n\rc\nd\r") == texts{"a\rb\r", "\rc", "d\r"});
}

TEST_CASE("the last line needs no end", "[unit][output]") {
  CHECK(lines_of("").empty());
  CHECK(lines_of("one\n") == texts{"one"});
  CHECK(lines_of("one\ntwo") == texts{"one", "two"});
}

TEST_CASE("a NUL is a character like others", "[unit][output]") {
  std::string const text("a\0b\n", 4);
  CHECK(lines_of(text) == texts{std::string("a\0b", 3)});
}

TEST_CASE("a line comes when its end does", "[unit][output]") {
  output_lines lines;
  lines.add("one");
  CHECK(take_all(lines).empty());
  lines.add("\r");
  CHECK(take_all(lines).empty());
  lines.add("\ntw");
  CHECK(take_all(lines) == texts{"one"});
  lines.add("o\n");
  CHECK(take_all(lines) == texts{"two"});
}

TEST_CASE("the longest line is one line, with either end and with none", "[unit][output]") {
  std::string const line(longest, 'x');
  for (std::string const end : {"", "\n", "\r\n"}) {
    for (std::size_t const size : {longest, longest + 1, std::size_t{16'384}, 2 * longest})
      CHECK(lines_of(line + end, size) == texts{line});
  }
  CHECK(lines_of(line + "\nnext") == texts{line, "next"});
  CHECK(lines_of(line + "\r\nnext") == texts{line, "next"});
}

TEST_CASE("a longer line comes in pieces", "[unit][output]") {
  std::string const piece(longest, 'x');
  for (std::size_t const size : {std::size_t{1'000}, longest, 5 * longest}) {
    CHECK(lines_of(piece + "y\nz\n", size) == texts{piece, "y", "z"});
    CHECK(lines_of(piece + piece + "\r\nz", size) == texts{piece, piece, "z"});
    CHECK(lines_of(piece + "\r\r\nz", size) == texts{piece, "\r", "z"});
  }
}

TEST_CASE("a line without end does not wait for more than its longest piece", "[unit][output]") {
  output_lines lines;
  lines.add(std::string(longest + 2, 'x'));
  CHECK(take_all(lines) == texts{std::string(longest, 'x')});
}

TEST_CASE("no more lines come than the program may leave untaken", "[unit][output][I7]") {
  output_lines lines;
  std::string text;
  for (std::size_t count = 0; count < most + 2; ++count) text += "x\n";
  lines.add(text);
  CHECK(lines.has_room());
  for (std::size_t count = 0; count < most; ++count) REQUIRE(lines.next());
  CHECK_FALSE(lines.has_room());
  CHECK_FALSE(lines.next());
  lines.taken();
  CHECK(lines.has_room());
  CHECK(lines.next());
  CHECK_FALSE(lines.next());
}

TEST_CASE("at the end all comes that is left, whether or not it is taken", "[unit][output]") {
  output_lines lines;
  std::size_t count = 0;
  for (; count < 2 * most; ++count) lines.add("x\n");
  lines.add("last");
  while (lines.next()) --count;
  CHECK(count == most);
  lines.end();
  CHECK(lines.has_ended());
  for (; count > 0; --count) CHECK(lines.next() == "x");
  CHECK(lines.next() == "last");
  CHECK_FALSE(lines.next());
}

}  // namespace
}  // namespace prong
