// Events in words.
// SPDX-License-Identifier: BSL-1.0
#include <prong/error.hpp>
#include <prong/event.hpp>

#include "support/catch.hpp"

#include <boost/asio/error.hpp>

namespace prong {
namespace {

TEST_CASE("how a worker ended is said in words", "[unit][event]") {
  worker_exited how{worker_id{1}, 4'711, 3, 0, false, {}};
  CHECK(describe(how) == "exited with status 3");

  how.status = 137;
  how.signal = 9;
  CHECK(describe(how) == "was killed by signal 9");

  how.error = errc::stop_timeout;
  CHECK(describe(how) == "was killed by signal 9 (the worker did not end in time)");

  error_code const why = asio::error::no_memory;
  CHECK(describe({worker_id{1}, 0, 0, 0, false, why}) == "could not be started: " + why.message());
}

}  // namespace
}  // namespace prong
