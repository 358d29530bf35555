// What happens to connections when workers die.
// SPDX-License-Identifier: BSL-1.0
#include "process/crowd.hpp"

namespace prong::test {

// Asks for a connection, and is away when it comes.
WORKER_BODY(takes_nothing_then_dies)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  listener.async_accept([](error_code, tcp::socket) {});
  co_await hear(self, "block");
  co_await tell(self, "about to block");
  spin();
}

TEST_CASE("a connection that a dead worker never took goes to another worker",
          "[process][I2][I3]") {
  fixture f(round_robin_pool_of(1), "takes_nothing_then_dies");
  auto const port = f.listening();
  auto const id = f.ids().front();
  REQUIRE_FALSE(f.send(id, "block"));
  REQUIRE(f.expect_message(id) == "about to block");

  client one(f, port);
  f.next_worker_runs("echo");
  f.boss->kill(id);
  CHECK_FALSE(f.expect_from<worker_exited>(id).exited_after_disconnect);
  CHECK(one.server() != id);
  CHECK(one.ask("hello") == "hello");
}

// Has a connection, and is in no call of the system that has to do with it.
WORKER_BODY(takes_and_spins)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  auto const connection = co_await listener.async_accept(use_awaitable);
  co_await tell(self, "it spins");
  spin();
}

TEST_CASE("a connection that a worker has taken ends with it", "[process][I2]") {
  fixture f(pool_of(1), "takes_and_spins");
  auto const port = f.listening();
  auto const id = f.ids().front();
  client one(f, port);
  REQUIRE(f.expect_message(id) == "it spins");
  f.next_worker_runs("echo");
  f.boss->kill(id);
  CHECK_FALSE(one.read_line());
  f.expect_from<worker_exited>(id);
  f.listening();
  CHECK(client(f, port).server() != id);
}

TEST_CASE(
    "while workers are killed, every connection is answered but those a dead worker had taken",
    "[process][I2][I3]") {
  auto settings = pool_of(4);
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  settings.respawn.initial_delay = 1ms;
  settings.respawn.max_delay = 5ms;
  settings.respawn.max_deaths = 1000;
  fixture f(settings);
  constexpr int requests = 2000, clients = 32;
  crowd all(f, f.listening(4), clients, requests);
  int kills = 0;
  all.on_request = [&] {
    if (all.left % 100 != 50) return;
    auto const workers = f.boss->workers();
    if (workers.empty()) return;
    error_code ec;
    f.boss->kill(workers[static_cast<std::size_t>(kills++) % workers.size()].id, ec);
  };
  int const in_vain = ends_get_lost() ? clients / 2 : 0;
  f.run_until([&] { return all.left == 0 && all.running() <= in_vain; });
  CHECK(kills == requests / 100);
  CHECK(all.refused == 0);
  CHECK(all.answered + all.taken + all.forgotten + all.running() == requests);
  // What a worker takes it greets before it asks for another. So each kill can end one connection
  // that was taken and not greeted, and one more that a worker accepted itself, ahead of its need;
  // all others without a greeting were the primary's to deliver.
  int const ends_of_a_kill = settings.scheduling == scheduling::shared ? 2 : 1;
  CHECK(all.forgotten <= kills * ends_of_a_kill);
  CHECK(all.answered >= requests - clients * kills);
}

}  // namespace prong::test
