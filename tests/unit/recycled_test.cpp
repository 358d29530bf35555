// The memory of operations.
// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"

#include <prong/detail/recycled.hpp>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace prong::detail {
namespace {

struct alignas(128) aligned {
  char what[128];
};

}  // namespace

TEST_CASE("memory that was given back is given to the next", "[unit]") {
  recycled<int> first;
  auto* const block = first.allocate(1);
  first.deallocate(block, 1);
  recycled<std::uint64_t> other(first);
  auto* const again = other.allocate(8);
  CHECK(static_cast<void*>(again) == block);
  other.deallocate(again, 8);
}

TEST_CASE("memory that is out is nobody else's, and more is there than is kept", "[unit]") {
  recycled<std::uint64_t> memory;
  std::vector<std::uint64_t*> blocks;
  for (std::uint64_t number = 0; number < 100; ++number) {
    blocks.push_back(memory.allocate(32));
    std::fill_n(blocks.back(), 32, number);
  }
  for (std::uint64_t number = 0; number < 100; ++number) {
    auto* const block = blocks[number];
    CHECK(std::count(block, block + 32, number) == 32);
    memory.deallocate(block, 32);
  }
}

TEST_CASE("what is too large to be kept, or aligned, has memory of its own", "[unit]") {
  recycled<char> memory;
  auto* const large = memory.allocate(kept_blocks::size + 1);
  std::fill_n(large, kept_blocks::size + 1, 'x');
  memory.deallocate(large, kept_blocks::size + 1);

  recycled<aligned> another;
  auto* const one = another.allocate(1);
  CHECK(reinterpret_cast<std::uintptr_t>(one) % alignof(aligned) == 0);
  another.deallocate(one, 1);
}

TEST_CASE("threads never have the same memory at a time", "[unit]") {
  auto const take_and_give = [](std::uint64_t mark) {
    recycled<std::uint64_t> memory;
    bool alone = true;
    for (int count = 0; count < 10'000; ++count) {
      auto* const block = memory.allocate(32);
      std::fill_n(block, 32, mark);
      alone = alone && std::count(block, block + 32, mark) == 32;
      memory.deallocate(block, 32);
    }
    return alone;
  };
  bool other_alone = false;
  std::thread other([&] { other_alone = take_and_give(2); });
  bool const alone = take_and_give(1);
  other.join();
  CHECK(alone);
  CHECK(other_alone);
}

}  // namespace prong::detail
