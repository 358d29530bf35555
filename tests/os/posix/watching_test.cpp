// Which sockets a process watches: others that share them must not wake it.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/request.hpp"

#include <filesystem>
#include <fstream>

namespace prong::test {
namespace {

// How many descriptors are in epoll sets of this process. Only Linux says that.
std::size_t watched() {
  std::size_t count = 0;
  for (auto const& each : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream info(each.path());
    for (std::string line; std::getline(info, line);) count += line.rfind("tfd:", 0) == 0;
  }
  return count;
}

}  // namespace

TEST_CASE("a process watches a listening socket from the first wait until a cancel", "[os][C19]") {
  if (!std::filesystem::exists("/proc/self/fdinfo")) {
    WARN("not shown here: this system does not tell what a process watches");
    return;
  }
  asio::io_context io;
  auto const other = listen(io, request(any_port()));  // with the first one comes the epoll set
  auto const before = watched();
  auto listener = listen(io, request(any_port()));
  CHECK(watched() == before);  // a primary keeps it for its workers
  int cancelled = 0;
  for (int round = 1; round <= 2; ++round) {
    listener.async_wait(
        completion([&](error_code ec) { cancelled += ec == asio::error::operation_aborted; }));
    CHECK(watched() == before + 1);
    listener.cancel();
    CHECK(watched() == before);
    io.restart();
    io.run();
    CHECK(cancelled == round);
  }
  listener.async_wait(completion([](error_code) {}));
  { auto const ended = std::move(listener); }
  CHECK(watched() == before);
}

}  // namespace prong::test
