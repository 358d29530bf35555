// Turns of workers at a queue that they share.
// SPDX-License-Identifier: BSL-1.0
#include "common/turns.hpp"
#include "support/catch.hpp"

#include <limits>

namespace prong {
namespace {

constexpr auto far_ahead = turns::most_ahead + 1;

struct fixture {
  std::shared_ptr<os::turn_counts> shared = std::make_shared<os::turn_counts>();

  turns worker(std::uint32_t id, std::uint32_t queue = 1) { return {shared, queue, worker_id{id}}; }
  std::uint32_t count_of(std::size_t id) const { return shared->taken[1][id]; }
};

void take(turns& by, std::uint32_t count) {
  while (count-- > 0) by.took();
}

}  // namespace

TEST_CASE_METHOD(fixture, "a worker that is alone is never ahead", "[unit]") {
  auto one = worker(1);
  for (int count = 0; count < 1000; ++count) {
    one.took();
    REQUIRE_FALSE(one.is_ahead());
  }
}

TEST_CASE_METHOD(fixture, "who is ahead of another that takes, too, lets it go first", "[unit]") {
  auto one = worker(1), other = worker(2);
  other.took();
  take(one, turns::most_ahead + 1);
  CHECK_FALSE(one.is_ahead());
  one.took();
  CHECK(one.is_ahead());
  other.took();
  CHECK_FALSE(one.is_ahead());
  CHECK_FALSE(other.is_ahead());
}

TEST_CASE_METHOD(fixture, "a worker that takes nothing holds up nobody twice", "[unit]") {
  auto one = worker(1), blocked = worker(2);
  blocked.took();
  take(one, 1 + far_ahead);
  CHECK(one.is_ahead());
  for (int count = 0; count < 1000; ++count) {
    one.took();
    REQUIRE_FALSE(one.is_ahead());
  }
  blocked.took();
  take(one, far_ahead);
  CHECK(one.is_ahead());
}

TEST_CASE_METHOD(fixture, "a worker that takes nothing from its beginning holds up nobody",
                 "[unit]") {
  auto const idle = worker(2);
  auto one = worker(1);
  take(one, 1000);
  CHECK_FALSE(one.is_ahead());
}

TEST_CASE_METHOD(fixture, "a worker that joins begins where the foremost is", "[unit]") {
  auto one = worker(1), other = worker(2);
  take(one, 500);
  take(other, 700);
  auto newcomer = worker(3);
  CHECK(count_of(3) == count_of(2));
  newcomer.took();
  CHECK_FALSE(newcomer.is_ahead());
}

TEST_CASE_METHOD(fixture, "a worker that was busy for long is waited for, but not for all of it",
                 "[unit]") {
  auto one = worker(1), busy = worker(2);
  take(one, 100'000);
  busy.took();
  take(busy, far_ahead);
  CHECK_FALSE(busy.is_ahead());  // and so it looks around
  CHECK(count_of(1) - count_of(2) == turns::most_behind);
  CHECK(one.is_ahead());
}

TEST_CASE_METHOD(fixture, "each queue has its own turns", "[unit]") {
  auto one = worker(1, 1), other = worker(2, 2);
  take(other, 1);
  take(one, 1000);
  CHECK_FALSE(one.is_ahead());
  CHECK(count_of(2) == 0);
}

TEST_CASE_METHOD(fixture, "counts go on after the highest number", "[unit]") {
  constexpr auto highest = std::numeric_limits<std::uint32_t>::max();
  shared->taken[1][5] = highest - 10;
  auto one = worker(1), other = worker(2);
  CHECK(count_of(1) == highest - 10);
  other.took();
  take(one, 1 + far_ahead);
  CHECK(count_of(1) < 100);
  CHECK(one.is_ahead());
  take(other, far_ahead);
  CHECK_FALSE(one.is_ahead());
}

TEST_CASE_METHOD(fixture, "more workers than places, and more queues, are counted together",
                 "[unit]") {
  auto first = worker(1), second = worker(1 + os::turn_counts::workers);
  auto third = worker(2, 1 + os::turn_counts::queues);
  take(third, 7);
  CHECK(count_of(1) != 0);
  CHECK(count_of(2) >= 7);
  CHECK_FALSE(second.is_ahead());
}

}  // namespace prong
