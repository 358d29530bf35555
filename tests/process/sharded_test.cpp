// A listening socket for each slot. Where a system cannot divide a port's connections, the primary
// says so, and there is nothing else to see.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <prong/error.hpp>

#include <list>
#include <map>

namespace prong::test {
namespace {

options sharded_pool_of(std::size_t workers) {
  auto settings = pool_of(workers);
  settings.scheduling = scheduling::sharded;
  settings.respawn.initial_delay = 1ms;
  return settings;
}

bool system_divides() {
  asio::io_context io;
  try {
    primary const boss(io, sharded_pool_of(1));
    return true;
  } catch (boost::system::system_error const& failure) {
    CHECK(failure.code() == errc::not_supported);
    CHECK(std::string(failure.what()).find("scheduling: sharded") != std::string::npos);
    WARN("this system does not divide connections");
    return false;
  }
}

std::map<worker_id, int> served(fixture& f, tcp::endpoint const& port, int connections) {
  std::map<worker_id, int> counts;
  for (int count = 0; count < connections; ++count) ++counts[client(f, port).server()];
  return counts;
}

}  // namespace

TEST_CASE("sharded divides connections among all workers, or is not supported", "[process]") {
  if (!system_divides()) return;
  fixture f(sharded_pool_of(3));
  auto const port = f.listening();
  CHECK(f.listening() == port);
  CHECK(f.listening() == port);
  for (auto const& each : f.boss->workers())
    CHECK(each.endpoints == std::vector<prong::endpoint>{port});
  // The system goes by a hash of both addresses: about a third each.
  auto const counts = served(f, port, 300);
  CHECK(counts.size() == 3);
  for (auto const& [_, count] : counts) CHECK(count > 50);
}

WORKER_BODY(listens_and_waits)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("with sharded, connections that wait at their worker's death are its successor's",
          "[process]") {
  if (!system_divides()) return;
  fixture f(sharded_pool_of(2), "listens_and_waits");
  auto const port = f.listening(2);
  std::list<client> clients;
  for (int count = 0; count < 40; ++count) clients.emplace_back(f, port);
  auto const first = f.ids();
  f.next_worker_runs("echo");
  for (auto const id : first) f.boss->kill(id);
  std::map<worker_id, int> counts;
  for (auto& each : clients) {
    ++counts[each.server()];
    CHECK(each.ask("hello") == "hello");
  }
  CHECK(counts.size() == 2);
  for (auto const id : first) CHECK(counts.count(id) == 0);
}

TEST_CASE("with sharded, connections that wait during a reload are the new workers'", "[process]") {
  if (!system_divides()) return;
  fixture f(sharded_pool_of(2), "listens_and_waits");
  auto const port = f.listening(2);
  std::list<client> clients;
  for (int count = 0; count < 40; ++count) clients.emplace_back(f, port);
  f.next_worker_runs("echo");
  CHECK_FALSE(f.reload());
  for (auto& each : clients) CHECK(each.server() != worker_id{});
}

TEST_CASE("with sharded, a slot that goes leaves its connections to the others", "[process]") {
  if (!system_divides()) return;
  fixture f(sharded_pool_of(2));
  auto const port = f.listening(2);
  CHECK(served(f, port, 50).size() == 2);
  f.boss->resize(1);
  auto const left = f.expect<worker_exited>().id;
  auto const counts = served(f, port, 50);
  CHECK(counts.size() == 1);
  CHECK(counts.count(left) == 0);
  f.boss->resize(2);
  f.listening();
  CHECK(served(f, port, 50).size() == 2);
}

TEST_CASE("with sharded and no pool, new connections of a dead worker go to the others",
          "[process]") {
  if (!system_divides()) return;
  fixture f(sharded_pool_of(0));
  auto const dead = f.fork("echo");
  f.fork("echo");
  auto const port = f.listening(2);
  f.boss->kill(dead);
  f.expect_from<worker_exited>(dead);
  CHECK(served(f, port, 50).size() == 1);
  f.fork("echo");
  f.listening();
  CHECK(served(f, port, 50).size() == 2);
}

}  // namespace prong::test
