// What a long life leaves behind in the primary and in its workers: nothing.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

namespace prong::test {
namespace {

// Resets its connection, so that ten thousand of them do not use up the ports of this machine.
void come_and_go(fixture& f, tcp::endpoint const& port) {
  client one(f, port);
  one.server();
  one.socket.set_option(asio::socket_base::linger(true, 0));
}

}  // namespace

// Answers each message with the number of its handles.
WORKER_BODY(counts_its_handles)(worker& self)->awaitable<void> {
  serve_any_port(self);
  for (;;) {
    co_await self.async_receive(use_awaitable);
    co_await tell(self, std::to_string(open_handles().size()));
  }
}

TEST_CASE("ten thousand connections leave no handle in the primary or a worker", "[process][I10]") {
  auto settings = pool_of(2);
  settings.scheduling = scheduling::round_robin;
  fixture f(settings, "counts_its_handles");
  auto const port = f.listening(2);
  auto const workers = f.ids();
  auto const handles_of = [&](worker_id id) { return std::stoul(f.ask(id, "how many?")); };
  for (int count = 0; count < 100; ++count) come_and_go(f, port);
  auto const before = open_handles().size();
  std::vector<unsigned long> theirs;
  for (auto const id : workers) theirs.push_back(handles_of(id));
  for (int count = 0; count < 10'000; ++count) come_and_go(f, port);
  // Connections are closed a moment after their clients are gone. With a leak this never ends.
  for (std::size_t i = 0; i < workers.size(); ++i) {
    while (handles_of(workers[i]) > theirs[i]) come_and_go(f, port);
  }
  while (open_handles().size() > before) come_and_go(f, port);
}

TEST_CASE("a hundred reloads leave no handle in the primary", "[process][I10]") {
  fixture f(pool_of(1));
  f.listening();
  auto const reload = [&] {
    REQUIRE_FALSE(f.reload());
    f.expect<worker_exited>();
  };
  for (int count = 0; count < 3; ++count) reload();
  auto const before = open_handles().size();
  for (int count = 0; count < 100; ++count) reload();
  CHECK(open_handles().size() == before);
}

}  // namespace prong::test
