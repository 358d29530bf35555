// The seam's process: how a worker ends, and what it leaves behind.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

namespace prong::test {

WORKER_PROGRAM(returns_its_argument) {
  return std::stoi(worker_arguments().at(0));
}

// Lives until its primary closes the channel; says so first.
WORKER_PROGRAM(lives_with_its_channel) {
  worker_side self;
  send(self.io, self.link, frame(1));
  arrived next;
  while (!receive(self.io, self.link, next)) continue;
  return 0;
}

TEST_CASE("a process reports what it returned", "[os][C8]") {
  asio::io_context io;
  int const code = GENERATE(0, 3, 255);
  auto worker = start(io, "returns_its_argument", {std::to_string(code)});
  CHECK(worker->child.id() != 0);
  auto const status = wait_for_exit(io, worker->child);
  CHECK(status.code == code);
  CHECK(status.signal == 0);
}

TEST_CASE("a killed process ends at once, and reports that it was killed", "[os][C8]") {
  asio::io_context io;
  auto worker = start(io, "lives_with_its_channel");
  receive(io, worker->link);
  error_code ec;
  worker->child.kill(ec);
  CHECK_FALSE(ec);
  auto const status = wait_for_exit(io, worker->child);
  CHECK(status.code != 0);
  if (status.signal != 0) CHECK(status.code == 128 + status.signal);
}

TEST_CASE("a process that has ended has no number, and cannot be killed", "[os][C8]") {
  asio::io_context io;
  auto worker = start(io, "returns_its_argument", {"0"});
  wait_for_exit(io, worker->child);
  CHECK(worker->child.id() == 0);
  error_code ec;
  worker->child.kill(ec);
  CHECK_FALSE(ec);
  CHECK_FALSE(has_child());
}

TEST_CASE("waiting may begin after the process has ended", "[os][C8]") {
  asio::io_context io;
  auto worker = start(io, "returns_its_argument", {"7"});
  arrived none;
  CHECK(receive(io, worker->link, none) == asio::error::eof);
  CHECK(wait_for_exit(io, worker->child).code == 7);
}

TEST_CASE("destroying a process completes its wait with operation_aborted", "[os][C1][C2]") {
  asio::io_context io;
  auto worker = start(io, "lives_with_its_channel");
  receive(io, worker->link);
  std::optional<error_code> result;
  worker->child.async_wait(detail::handler<void(error_code, os::exit_status)>(
      [&](error_code ec, os::exit_status) { result = ec; }));
  error_code ec;
  worker->child.kill(ec);
  worker.reset();
  CHECK_FALSE(result);
  run_until(io, [&] { return result.has_value(); });
  CHECK(*result == asio::error::operation_aborted);
}

TEST_CASE("a process that was killed and destroyed leaves nothing behind", "[os]") {
  asio::io_context io;
  auto worker = start(io, "lives_with_its_channel");
  receive(io, worker->link);
  error_code ec;
  worker->child.kill(ec);
  worker.reset();
  CHECK_FALSE(has_child());
}

WORKER_PROGRAM(answers_on_a_connection) {
  worker_side self;
  auto connection = adopt(self.io, std::move(receive(self.io, self.link).attached));
  char const byte = read_byte(self.io, connection);
  asio::write(connection, asio::buffer(&byte, 1));
  return 0;
}

TEST_CASE("destroying a process does not end it", "[os]") {
  asio::io_context io;
  connection pair(io);
  auto worker = start(io, "answers_on_a_connection");
  REQUIRE_FALSE(send(io, worker->link, frame(1, {}, wire::carries_socket), {pair.server.get()}));
  delete worker.release();
  pair.server.reset();
  char byte = 'y';
  asio::write(pair.client, asio::buffer(&byte, 1));
  CHECK(read_byte(io, pair.client) == 'y');
  CHECK(read_exactly(io, pair.client, &byte, 1) == asio::error::eof);
  reap_abandoned();
}

TEST_CASE("many workers, one after the other, leave no handle open", "[os][C5]") {
  asio::io_context io;
  wait_for_exit(io, start(io, "returns_its_argument", {"0"})->child);
  auto const before = open_handles().size();
  for (int i = 0; i < 100; ++i) {
    auto worker = start(io, "returns_its_argument", {"0"});
    REQUIRE(wait_for_exit(io, worker->child).code == 0);
  }
  CHECK(open_handles().size() == before);
}

}  // namespace prong::test
