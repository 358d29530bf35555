// Who gets a connection where the number of connections, or the user's function, decides.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <algorithm>
#include <list>
#include <map>

namespace prong::test {
namespace {

options pool_with(scheduling policy, std::size_t workers) {
  auto settings = pool_of(workers);
  settings.scheduling = policy;
  settings.respawn.initial_delay = 1ms;
  return settings;
}

// Clients that stay, each with the worker that serves it.
struct clients {
  struct one {
    client connection;
    worker_id server;
  };
  fixture& f;
  tcp::endpoint port;
  std::list<one> all{};

  // A worker that has answered a message has said before how many connections it has.
  worker_id connect() {
    auto& added = all.emplace_back(one{client(f, port), {}});
    added.server = added.connection.server();
    f.ask(added.server, "ready");
    return added.server;
  }
  void end(std::list<one>::iterator at) {
    auto const server = at->server;
    all.erase(at);
    CHECK(f.expect_message(server) == "ended");
    f.ask(server, "ready");
  }
  void end_all_of(worker_id server) {
    for (auto at = all.begin(); at != all.end();) {
      auto const here = at++;
      if (here->server == server) end(here);
    }
  }
  std::map<worker_id, int> counts() const {
    std::map<worker_id, int> sums;
    for (auto const& each : all) ++sums[each.server];
    return sums;
  }
};

void all_have(clients const& those, std::size_t workers, int expected) {
  auto const counts = those.counts();
  CHECK(counts.size() == workers);
  for (auto const& [id, count] : counts) {
    INFO("worker " << static_cast<unsigned>(id));
    CHECK(count == expected);
  }
}

awaitable<void> serve_one(worker& self, tcp::socket connection, open_connection counted) {
  try {
    co_await greet_and_echo(std::move(connection), self.id());
  } catch (boost::system::system_error const&) {
    counted.reset();  // the client has gone
  }
  co_await tell(self, "ended");
}

awaitable<void> serve_and_count(worker& self) {
  acceptor listener(self, any_port());
  for (;;) {
    auto [ec, connection] = co_await listener.async_accept(asio::as_tuple(use_awaitable));
    if (ec) co_return;
    auto serving = serve_one(self, std::move(connection), listener.count_connection());
    asio::co_spawn(self.get_executor(), std::move(serving), detached);
  }
}

std::size_t slot_of(fixture& f, worker_id id) {
  auto const all = f.boss->workers();
  auto const at = std::ranges::find(all, id, &worker_info::id);
  REQUIRE(at != all.end());
  return at->slot;
}

}  // namespace

WORKER_BODY(counts_connections)(worker& self)->awaitable<void> {
  asio::co_spawn(self.get_executor(), serve_and_count(self), detached);
  co_await answer_messages(self);
}

TEST_CASE("connections of unequal length stay even with least_connections", "[process]") {
  fixture f(pool_with(scheduling::least_connections, 3), "counts_connections");
  clients those{f, f.listening(3)};
  for (auto const id : f.ids()) f.ask(id, "ready");
  for (int count = 0; count < 12; ++count) those.connect();
  all_have(those, 3, 4);
  // All of the worker end whose turn would be the last, and one of another.
  auto const emptied = those.all.back().server;
  those.end_all_of(emptied);
  auto const other = those.all.begin()->server;
  those.end(those.all.begin());
  for (int count = 0; count < 3; ++count) CHECK(those.connect() == emptied);
  for (int count = 0; count < 2; ++count) those.connect();
  CHECK(those.counts()[other] == 4);
  all_have(those, 3, 4);
}

TEST_CASE("with least_connections the successor of a dead worker is filled up first", "[process]") {
  fixture f(pool_with(scheduling::least_connections, 3), "counts_connections");
  clients those{f, f.listening(3)};
  for (auto const id : f.ids()) f.ask(id, "ready");
  for (int count = 0; count < 9; ++count) those.connect();
  auto const dead = those.all.front().server;
  auto const slot = slot_of(f, dead);
  f.boss->kill(dead);
  f.expect_from<worker_exited>(dead);
  std::erase_if(those.all, [&](auto const& each) { return each.server == dead; });
  auto const successor = f.expect<worker_listening>().id;
  CHECK(slot_of(f, successor) == slot);
  f.ask(successor, "ready");
  for (int count = 0; count < 3; ++count) CHECK(those.connect() == successor);
  all_have(those, 3, 3);
}

TEST_CASE("a reload goes by the connections of the new workers", "[process]") {
  fixture f(pool_with(scheduling::least_connections, 2), "counts_connections");
  clients those{f, f.listening(2)};
  for (auto const id : f.ids()) f.ask(id, "ready");
  for (int count = 0; count < 4; ++count) those.connect();
  std::map<std::size_t, worker_id> before;
  for (auto const& each : f.boss->workers()) before[each.slot] = each.id;
  CHECK_FALSE(f.reload());
  f.listening(2);
  clients others{f, those.port};
  for (auto const& each : f.boss->workers())
    if (each.state == worker_state::online) f.ask(each.id, "ready");
  for (int count = 0; count < 6; ++count) others.connect();
  all_have(others, 2, 3);
  for (auto const& [id, _] : others.counts()) CHECK(before.at(slot_of(f, id)) < id);
}

TEST_CASE("the user's function says who gets a connection", "[process]") {
  auto settings = pool_with(scheduling::custom, 3);
  std::vector<tcp::endpoint> asked;
  settings.choose_worker = [&](tcp::endpoint const& client, std::span<candidate const> workers) {
    asked.push_back(client);
    auto const at = std::ranges::find(workers, client.port() % 3u, &candidate::slot);
    return at == workers.end() ? std::nullopt : std::optional(at->id);
  };
  fixture f(settings, "counts_connections");
  clients those{f, f.listening(3)};
  for (int count = 0; count < 12; ++count) {
    auto const id = those.connect();
    auto const from = those.all.back().connection.socket.local_endpoint();
    CHECK(slot_of(f, id) == from.port() % 3u);
    CHECK(std::ranges::count(asked, from) >= 1);
  }
}

TEST_CASE("a connection for which the function finds nobody waits, also for a dead one's successor",
          "[process]") {
  auto settings = pool_with(scheduling::custom, 2);
  std::size_t wanted = 0;
  settings.choose_worker = [&](tcp::endpoint const&, std::span<candidate const> workers) {
    auto const at = std::ranges::find(workers, wanted, &candidate::slot);
    return at == workers.end() ? std::nullopt : std::optional(at->id);
  };
  fixture f(settings, "counts_connections");
  clients those{f, f.listening(2)};
  auto const dead = those.connect();
  CHECK(slot_of(f, dead) == 0);
  f.boss->kill(dead);
  client waits(f, those.port);
  CHECK(slot_of(f, waits.server()) == 0);
  wanted = 1;
  CHECK(slot_of(f, those.connect()) == 1);
}

}  // namespace prong::test
