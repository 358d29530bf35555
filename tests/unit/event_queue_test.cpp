// Events that wait, and what is left of them at the bound.
// SPDX-License-Identifier: BSL-1.0
#include "common/event_queue.hpp"

#include "support/catch.hpp"

#include <string>

namespace prong {
namespace {

event online(std::uint32_t id) {
  return worker_online{worker_id{id}, 0};
}
event text(std::string body) {
  return worker_message{worker_id{1}, {"", std::move(body)}};
}

// All that waits: "3" is the event of worker 3, "-2" two events that are lost, "x" a message.
std::string taken(event_queue& queue) {
  std::string all;
  while (!queue.empty()) {
    auto const next = queue.pop();
    if (!all.empty()) all += ' ';
    if (auto const* const up = std::get_if<worker_online>(&next))
      all += std::to_string(static_cast<std::uint32_t>(up->id));
    else if (auto const* const lost = std::get_if<events_lost>(&next))
      all += "-" + std::to_string(lost->count);
    else
      all += std::get<worker_message>(next).message.body;
  }
  return all;
}

TEST_CASE("events are taken in their order", "[unit][event_queue]") {
  event_queue queue(10);
  CHECK(queue.empty());
  queue.push(online(1));
  queue.push(text("a"));
  queue.push(online(2));
  CHECK(taken(queue) == "1 a 2");
}

TEST_CASE("at the bound the oldest events are dropped, and counted in their place",
          "[unit][event_queue][I7]") {
  event_queue queue(3);
  for (std::uint32_t id = 1; id <= 3; ++id) queue.push(online(id));
  queue.push(online(4));
  SECTION("one") {
    CHECK(taken(queue) == "-1 2 3 4");
  }
  SECTION("several are one note") {
    queue.push(online(5));
    queue.push(online(6));
    CHECK(taken(queue) == "-3 4 5 6");
  }
  SECTION("a note that was taken is not counted again") {
    CHECK(std::get<events_lost>(queue.pop()).count == 1);
    queue.push(online(5));
    CHECK(taken(queue) == "-1 3 4 5");
  }
}

TEST_CASE("messages are never dropped, and take no room from events", "[unit][event_queue]") {
  event_queue queue(2);
  for (auto const* const body : {"a", "b", "c"}) queue.push(text(body));
  queue.push(online(1));
  queue.push(online(2));
  queue.push(text("d"));
  queue.push(online(3));
  CHECK(taken(queue) == "a b c -1 2 d 3");
}

TEST_CASE("a note stands where its events were, between the messages", "[unit][event_queue]") {
  event_queue queue(2);
  queue.push(online(1));
  queue.push(text("a"));
  queue.push(online(2));
  queue.push(online(3));
  queue.push(online(4));
  CHECK(taken(queue) == "-1 a -1 3 4");
}

TEST_CASE("notes take no room from events", "[unit][event_queue]") {
  event_queue queue(1);
  for (std::uint32_t id = 1; id <= 1'000; ++id) queue.push(online(id));
  CHECK(taken(queue) == "-999 1000");
  queue.push(online(1));
  CHECK(taken(queue) == "1");
}

}  // namespace
}  // namespace prong
