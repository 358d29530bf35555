// What cannot be listened on here, and says so.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/request.hpp"

#include <prong/error.hpp>

namespace prong::test {

TEST_CASE("local sockets, and names of sockets, are not supported", "[os][C14][C15]") {
  asio::io_context io;
  endpoint where;
  where.transport = transport::local;
  where.path = "socket";
  CHECK(failure_to_listen(io, request(where)) == errc::not_supported);
  auto named = request(any_port());
  named.from.emplace("web");
  CHECK(failure_to_listen(io, named) == errc::not_supported);
}

}  // namespace prong::test
