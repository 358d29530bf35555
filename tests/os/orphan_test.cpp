// What happens to a worker when its primary ends (C10). The primary is a worker of the test's.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

namespace prong::test {
namespace {

constexpr auto flagged = wire::carries_socket;

// Tells the test by the connection that it has begun.
tcp::socket begin(worker_side& self, asio::io_context& io) {
  auto connection = adopt(io, std::move(receive(self.io, self.link).attached));
  asio::write(connection, asio::buffer("z", 1));
  return connection;
}

[[noreturn]] void spin() {
  for (unsigned volatile turns = 0;;) turns = turns + 1;
}

}  // namespace

WORKER_PROGRAM(spins) {
  asio::io_context io;
  worker_side self;
  auto const connection = begin(self, io);
  spin();
}

WORKER_PROGRAM(closes_its_channel_and_spins) {
  asio::io_context io;
  std::optional<tcp::socket> connection;
  {
    worker_side self;
    connection = begin(self, io);
  }
  spin();
}

// Starts a worker, hands its own connection on to it, and says which process that is.
WORKER_PROGRAM(is_a_primary) {
  worker_side self;
  auto worker = start(self.io, worker_arguments().at(0));
  auto connection = receive(self.io, self.link);
  if (send(self.io, worker->link, frame(1, {}, flagged), {connection.attached.get()})) return 1;
  connection.attached.reset();
  if (send(self.io, self.link, frame(worker->child.id()))) return 1;
  arrived next;
  while (!receive(self.io, self.link, next)) continue;
  return 0;
}

TEST_CASE("a worker ends when its primary does, even if it spins or is stopped", "[os][C10]") {
  asio::io_context io;
  auto const* const body = GENERATE("spins", "closes_its_channel_and_spins");
  bool const killed = GENERATE(false, true);
  bool const stopped = GENERATE(false, true);
  INFO(body << (killed ? ", primary killed" : ", primary returns") << (stopped ? ", stopped" : ""));
  connection pair(io);
  auto primary = start(io, "is_a_primary", {body});
  REQUIRE_FALSE(send(io, primary->link, frame(1, {}, flagged), {pair.server.get()}));
  pair.server.reset();
  auto const worker = static_cast<process_id>(receive(io, primary->link).id);
  char byte = 0;
  asio::read(pair.client, asio::buffer(&byte, 1));
  if (stopped && !stop_process(worker)) return;

  error_code ec;
  if (killed) {
    primary->child.kill(ec);
  } else {
    auto const closed = std::move(primary->link);
  }
  wait_for_exit(io, primary->child);
  // The worker's end is the end of the connection, of which nobody else has a handle.
  asio::read(pair.client, asio::buffer(&byte, 1), ec);
  CHECK(ec);
}

}  // namespace prong::test
