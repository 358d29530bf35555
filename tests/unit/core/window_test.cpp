// How many connections may be on their way to an acceptor.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/window.hpp"

#include "support/catch.hpp"

namespace prong::core {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Turns of a busy program whose handlers are short.
window after_calm(int turns, window from = window(0)) {
  for (int i = 0; i < turns; ++i) from.on_turn(microseconds(50), true);
  return from;
}

TEST_CASE("a window that was asked for does not change", "[unit][window]") {
  CHECK(after_calm(1'000, window(3)).size() == 3);
  window fixed(3);
  fixed.on_turn(milliseconds(20), true);
  CHECK(fixed.size() == 3);
}

TEST_CASE("a window grows while connections queue and the loop turns fast", "[unit][window]") {
  CHECK(window(0).size() == 1);
  CHECK(after_calm(7).size() == 1);
  CHECK(after_calm(8).size() == 2);
  CHECK(after_calm(16).size() == 4);
  CHECK(after_calm(10'000).size() == window::largest);
}

TEST_CASE("a window stays as it is while nothing queues", "[unit][window]") {
  auto idle = after_calm(15);
  idle.on_turn(microseconds(50), false);
  CHECK(after_calm(7, idle).size() == 2);
  CHECK(after_calm(8, idle).size() == 4);
}

TEST_CASE("a handler that holds the loop up makes the window smaller", "[unit][window]") {
  auto busy = after_calm(32);
  REQUIRE(busy.size() == 16);
  busy.on_turn(milliseconds(2), true);
  CHECK(busy.size() == 8);
}

TEST_CASE("a handler that blocks makes the window 1 for a while", "[unit][window]") {
  auto blocked = after_calm(32);
  blocked.on_turn(milliseconds(20), true);
  CHECK(blocked.size() == 1);
  CHECK(after_calm(71, blocked).size() == 1);
  CHECK(after_calm(72, blocked).size() == 2);
}

}  // namespace
}  // namespace prong::core
