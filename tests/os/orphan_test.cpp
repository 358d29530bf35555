// What happens to a worker when its primary ends (C10). The primary is a worker of the test's.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

#include <cstdlib>
#include <optional>

namespace prong::test {
namespace {

constexpr auto flagged = wire::carries_socket;

[[noreturn]] void spin() {
  for (unsigned volatile turns = 0;;) turns = turns + 1;
}

}  // namespace

WORKER_PROGRAM(spins) {
  worker_side self;
  receive(self.io, self.link).attached.release();
  if (send(self.io, self.link, frame(0))) return 1;
  spin();
}

WORKER_PROGRAM(closes_its_channel_and_spins) {
  {
    worker_side self;
    receive(self.io, self.link).attached.release();
  }
  spin();
}

constexpr std::uint64_t stop_worker = 2;

// Starts a worker, hands its own connection on to it, and tells when the worker has begun. Stops it
// if told to, and answers whether it is stopped.
WORKER_PROGRAM(is_a_primary) {
  worker_side self;
  auto worker = start(self.io, worker_arguments().at(0));
  auto connection = receive(self.io, self.link);
  if (send(self.io, worker->link, frame(1, {}, flagged), {connection.attached.get()})) return 1;
  connection.attached.reset();
  arrived first;
  receive(self.io, worker->link, first);  // a frame, or the channel's end
  if (send(self.io, self.link, frame(0))) return 1;
  for (arrived next; !receive(self.io, self.link, next);) {
    bool const done = next.id == stop_worker && stop_child(worker->child.id());
    if (send(self.io, self.link, frame(done ? 1 : 0))) return 1;
  }
  delete worker.release();  // lives on: it must not be this program who ends it
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
  receive(io, primary->link);
  if (stopped) {
    REQUIRE_FALSE(send(io, primary->link, frame(stop_worker)));
    if (receive(io, primary->link).id == 0) return;
  }

  error_code ec;
  if (killed) {
    primary->child.kill(ec);
  } else {
    auto const closed = std::move(primary->link);
  }
  wait_for_exit(io, primary->child);
  // The worker's end is the end of the connection, of which nobody else has a handle.
  char byte = 0;
  CHECK(read_exactly(io, pair.client, &byte, 1));
}

// Where the kernel does not end it with its primary, it has a lifeline, and must watch that.
WORKER_PROGRAM(spins_at_once) {
  std::optional<worker_side> self;
  if (std::getenv("PRONG_LIFELINE") != nullptr) self.emplace();
  spin();
}

WORKER_PROGRAM(starts_another_user) {
  worker_side self;
  auto what = worker_called("spins_at_once");
  what.user = what.group = another_user;
  auto worker = start(self.io, what);
  if (send(self.io, self.link, frame(0))) return 1;
  for (arrived next; !receive(self.io, self.link, next);) continue;
  return 0;
}

TEST_CASE("a worker that runs as another user ends with its primary, too", "[os][C10]") {
  if (!may_change_user()) {
    WARN("not shown here: this process may not start one as another user");
    return;
  }
  asio::io_context io;
  auto what = worker_called("starts_another_user");
  what.output = stdio::pipe;
  auto primary = start(io, what);
  receive(io, primary->link);
  error_code ec;
  primary->child.kill(ec);
  wait_for_exit(io, primary->child);
  // Nobody but that worker, which inherited it, holds the pipe.
  CHECK(read_all(io, *primary->output).empty());
}

}  // namespace prong::test
