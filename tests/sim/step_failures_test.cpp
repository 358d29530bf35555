// One life again and again, each time with another call into the operating system failing: the
// first, the second, and so on, until none is left to fail.
// SPDX-License-Identifier: BSL-1.0
#include "sim/scenario.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstdio>

namespace prong::sim {
namespace {

// Two workers serve three clients, are replaced, and stop. True if a call was there to fail.
bool live(std::uint64_t fail_call, scheduling policy) {
  all_choices first_come(0);
  scenario one(first_come);
  auto& world = one.in();
  world.os.fail_call = fail_call;
  world.spawned_run([&](process& self, asio::io_context& io) {
    return std::make_unique<program>(world, self, io, habits{});
  });
  options settings;
  settings.workers = 2;
  one.begin(settings, policy);
  one.as_primary([&] { one.boss().run(); });
  one.run_for(std::chrono::seconds(1));
  for (int clients = 0; clients < 3; ++clients) world.os.connect(80);
  one.run_for(std::chrono::seconds(1));
  one.as_primary([&] { one.boss().reload(); });
  one.run_for(std::chrono::seconds(20));
  for (int clients = 0; clients < 3; ++clients) world.os.connect(80);
  one.recover();
  one.shut_down();
  auto const& failed = world.os.failed_call();
  auto const& reported = world.rules.reported();
  auto const is_reported = [&](error_code const& what) {
    return std::find(reported.begin(), reported.end(), what) != reported.end();
  };
  if (failed == "starting a process fails")
    CHECK(is_reported(
        boost::system::errc::make_error_code(boost::system::errc::no_such_file_or_directory)));
  if (failed == "listening fails") CHECK(is_reported(asio::error::no_descriptors));
  one.check_nothing_left();
  auto const result = one.result();
  INFO("call " << fail_call << " failed: " << failed << "\nThe last events:\n" << result.trace);
  REQUIRE(result.failure.empty());
  CHECK(result.handed_over == 6);
  return !failed.empty();
}

}  // namespace

TEST_CASE("whichever call of the system fails, nothing leaks, hangs or is lost",
          "[sim][I4][I8][I10]") {
  for (auto const policy :
       {scheduling::round_robin, scheduling::shared, scheduling::sharded, scheduling::sticky}) {
    std::uint64_t call = 1;
    while (live(call, policy)) ++call;
    CHECK(call > 10);
    std::printf("scheduling %d: %llu calls failed in turn\n", static_cast<int>(policy),
                static_cast<unsigned long long>(call - 1));
  }
}

}  // namespace prong::sim
