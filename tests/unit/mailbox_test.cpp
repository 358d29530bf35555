// Frames that a worker leaves for its primary in memory that both see.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/mailbox.hpp"

#include "support/catch.hpp"

#include <thread>

namespace prong::os {
namespace {

struct fixture {
  mailbox::memory shared{};
  mailbox worker{&shared, side::worker};
  mailbox primary{&shared, side::primary};
  error_code failure{};

  bool leave(std::uint64_t id, std::uint32_t epoch = 0) {
    wire::frame_header header;
    header.id = id;
    return worker.leave(header, epoch);
  }
  // The id of the next frame; 0 if there is none.
  std::uint64_t take() {
    received next;
    return primary.take(next, failure) ? next.frame.header.id : 0;
  }
};

TEST_CASE_METHOD(fixture, "what was left is taken once, and in its order", "[unit][C16]") {
  CHECK(take() == 0);
  CHECK(leave(1));
  CHECK(leave(2));
  CHECK(take() == 1);
  CHECK(take() == 2);
  CHECK(take() == 0);
  CHECK_FALSE(failure);
}

TEST_CASE_METHOD(fixture, "a worker does not take what it has left", "[unit][C16]") {
  CHECK(leave(1));
  received next;
  CHECK_FALSE(worker.take(next, failure));
  CHECK(take() == 1);
}

TEST_CASE_METHOD(fixture, "a mailbox has a bound, and its places are used again", "[unit][C16]") {
  for (std::uint64_t round = 0; round < 3; ++round) {
    for (std::uint64_t id = 1; id <= mailbox::capacity; ++id) REQUIRE(leave(id));
    CHECK_FALSE(leave(9'999));
    for (std::uint64_t id = 1; id <= mailbox::capacity; ++id) REQUIRE(take() == id);
    CHECK(take() == 0);
  }
}

TEST_CASE_METHOD(fixture, "nothing is left in an epoch that has ended", "[unit][C16]") {
  CHECK(leave(1));
  CHECK_FALSE(primary.end_epoch());  // there is something to take
  CHECK(worker.epoch() == 0);
  CHECK(take() == 1);
  CHECK(primary.end_epoch());
  CHECK(primary.epoch() == 1);
  CHECK(worker.epoch() == 1);
  CHECK_FALSE(leave(2));
  CHECK(take() == 0);
  CHECK(leave(2, 1));
  CHECK(take() == 2);
}

TEST_CASE_METHOD(fixture, "what is left and what is ended at once agree in every case",
                 "[unit][C16]") {
  std::uint64_t agreed = 0;
  for (std::uint32_t epoch = 0; epoch < 2'000; ++epoch) {
    std::atomic<bool> left = false;
    std::thread other([&] { left = leave(epoch + 1, epoch); });
    bool const ended = primary.end_epoch();
    other.join();
    if (left != ended) ++agreed;
    CHECK((take() == epoch + 1) == left);
    if (!ended) CHECK(primary.end_epoch());
  }
  CHECK(agreed == 2'000);
}

TEST_CASE_METHOD(fixture, "what no worker of ours leaves is an error", "[unit][C16]") {
  SECTION("more frames than there are places") {
    shared.state = mailbox::capacity + 1;
  }
  SECTION("a frame with a payload") {
    wire::frame_header header;
    header.length = 1;
    CHECK(worker.leave(header, 0));
  }
  SECTION("a frame with a socket") {
    wire::frame_header header;
    header.flags = wire::carries_socket;
    CHECK(worker.leave(header, 0));
  }
  CHECK(take() == 0);
  CHECK(failure == errc::protocol_error);
}

}  // namespace
}  // namespace prong::os
