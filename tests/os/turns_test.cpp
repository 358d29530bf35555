// The memory in which workers take turns at a queue.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/turns_memory.hpp"

#include "os/seam_fixture.hpp"

#include <cstdlib>

namespace prong::test {
namespace {

struct origin {
  error_code failure;
  std::shared_ptr<os::turns_memory> memory;

  origin() : memory(std::make_shared<os::turns_memory>(failure)) { REQUIRE_FALSE(failure); }
};

os::program takes_three_turns(std::shared_ptr<os::turns_memory const> with) {
  auto what = worker_called("takes_three_turns");
  what.turns = std::move(with);
  return what;
}

std::string turns_left_by_others(asio::io_context& io, std::shared_ptr<os::turns_memory const> of) {
  auto const told = told_by(io, takes_three_turns(std::move(of)));
  REQUIRE(told.size() == 1);
  return told.front();
}

}  // namespace

// Tells what it found, and counts three more.
WORKER_PROGRAM(takes_three_turns) {
  auto const memory = os::inherited_turns();
  if (std::getenv(os::turns_variable) != nullptr) return tell({"the variable is still there"});
  if (!memory) return tell({"none"});
  auto const before = memory->taken.back().back().fetch_add(3);
  return tell({std::to_string(before)});
}

TEST_CASE("workers that are started with the same memory see each other's turns", "[os][C18]") {
  asio::io_context io;
  origin one, other;
  CHECK(turns_left_by_others(io, one.memory) == "0");
  CHECK(turns_left_by_others(io, other.memory) == "0");
  CHECK(turns_left_by_others(io, one.memory) == "3");
  CHECK(turns_left_by_others(io, other.memory) == "3");
  CHECK(turns_left_by_others(io, nullptr) == "none");
}

TEST_CASE("memory for turns outlives the workers that have it, and leaves no handle", "[os][C5]") {
  asio::io_context io;
  turns_left_by_others(io, nullptr);  // Asio opens some handles of its own at first use
  auto const before = open_handles();
  {
    origin const one;
    for (int count = 0; count < 5; ++count)
      CHECK(turns_left_by_others(io, one.memory) == std::to_string(3 * count));
  }
  CHECK(open_handles() == before);
}

TEST_CASE("what is no memory for turns is not taken for it", "[os][C18]") {
  auto const before = open_handles();
  for (auto const* value : {"", "1", "x", "3x", " 3", "-1", "0", "77777", "99999999999999999999"}) {
    INFO(value);
    set_variable(os::turns_variable, value);
    CHECK_FALSE(os::inherited_turns());
    CHECK(std::getenv(os::turns_variable) == nullptr);
    CHECK(open_handles() == before);
  }
}

}  // namespace prong::test
