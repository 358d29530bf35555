// Which worker a client's connections go to, and what happens when workers come and go.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/policy/sticky.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace prong::core {
namespace {

arrival from(char const* address, std::uint64_t number = 1) {
  return {connection_id{number}, {asio::ip::make_address(address), 1'000}};
}
arrival from(unsigned client, std::uint64_t number = 1) {
  return {connection_id{number}, {asio::ip::address_v4(client), 1'000}};
}

struct fixture {
  sticky all;

  fixture() {
    for (std::uint32_t id = 1; id <= 4; ++id) joins(id, id - 1);
  }
  void joins(std::uint32_t id, std::size_t slot) {
    all.join(worker_id{id}, slot);
    all.ready(worker_id{id});
  }
  // Whom a connection of this client goes to, who has room again at once.
  worker_id worker_of(unsigned client) {
    all.arrived(from(client));
    auto const turn = all.next();
    REQUIRE(turn);
    all.ready(turn->to);
    return turn->to;
  }
  std::map<unsigned, worker_id> workers_of_all() {
    std::map<unsigned, worker_id> found;
    for (unsigned client = 1; client <= 2'000; ++client) found[client] = worker_of(client);
    return found;
  }
  std::vector<std::uint64_t> offers() {
    std::vector<std::uint64_t> numbers;
    while (auto const turn = all.next())
      numbers.push_back(static_cast<std::uint64_t>(turn->what.connection));
    return numbers;
  }
};

using numbers = std::vector<std::uint64_t>;

TEST_CASE_METHOD(fixture, "a client's connections all go to one worker", "[unit][sticky]") {
  CHECK(workers_of_all() == workers_of_all());
  auto const id = worker_of(77);
  auto other_port = from(77);
  other_port.from.port(2'000);
  all.arrived(other_port);
  CHECK(all.next().value().to == id);
}

TEST_CASE_METHOD(fixture, "clients are spread over all workers evenly", "[unit][sticky]") {
  std::map<worker_id, int> counts;
  for (auto const& [_, id] : workers_of_all()) ++counts[id];
  REQUIRE(counts.size() == 4);
  for (auto const& [_, count] : counts) {
    CHECK(count > 430);
    CHECK(count < 570);
  }
}

TEST_CASE("addresses of IPv6 are spread too, and a mapped one is that of IPv4", "[unit][sticky]") {
  std::set<std::uint64_t> keys;
  for (unsigned last = 0; last < 1'000; ++last) {
    asio::ip::address_v6::bytes_type bytes{0x20, 1, 0xd, 0xb8};
    bytes[7] = static_cast<unsigned char>(last >> 8);
    bytes[15] = static_cast<unsigned char>(last);
    keys.insert(client_key({connection_id{1}, {asio::ip::address_v6(bytes), 1}}));
  }
  CHECK(keys.size() == 1'000);
  CHECK(client_key(from("::ffff:10.1.2.3")) == client_key(from("10.1.2.3")));
  CHECK(client_key(from("::10.1.2.3")) != client_key(from("10.1.2.3")));
}

TEST_CASE("a connection without an address is a client of its own", "[unit][sticky]") {
  CHECK(client_key({connection_id{1}}) != client_key({connection_id{2}}));
}

TEST_CASE_METHOD(fixture,
                 "when a worker dies only its own clients move, and its successor gets them",
                 "[unit][sticky]") {
  auto const before = workers_of_all();
  worker_id const dead{2};
  all.leave(dead);
  std::set<worker_id> heirs;
  for (auto const& [client, id] : workers_of_all()) {
    if (before.at(client) != dead)
      CHECK(id == before.at(client));
    else
      heirs.insert(id);
  }
  CHECK(heirs.size() == 3);
  joins(5, 1);
  for (auto const& [client, id] : workers_of_all())
    CHECK(id == (before.at(client) == dead ? worker_id{5} : before.at(client)));
}

TEST_CASE_METHOD(fixture,
                 "a replacement takes the clients over while the old worker is there still",
                 "[unit][sticky]") {
  auto const before = workers_of_all();
  joins(9, 2);
  for (auto const& [client, id] : workers_of_all())
    CHECK(id == (before.at(client) == worker_id{3} ? worker_id{9} : before.at(client)));
  all.leave(worker_id{9});  // it was not good enough
  CHECK(workers_of_all() == before);
}

TEST_CASE_METHOD(fixture, "a connection waits for its own worker, and holds up nobody else's",
                 "[unit][sticky]") {
  auto const workers = workers_of_all();
  auto const busy = worker_of(1);
  all.arrived(from(1, 10));
  CHECK(offers() == numbers{10});  // busy has no room from here on
  unsigned other = 2;
  while (workers.at(other) == busy) ++other;
  all.arrived(from(1, 11));
  all.arrived(from(1, 12));
  all.arrived(from(other, 13));
  CHECK(offers() == numbers{13});
  CHECK(all.pending() == 2);
  all.ready(busy);
  CHECK(offers() == numbers{11});
  all.returned(std::vector{from(1, 9), from(1, 10)});
  for (int count = 0; count < 3; ++count) {
    all.ready(busy);
    CHECK(offers().size() == 1);
  }
  CHECK(all.pending() == 0);
}

TEST_CASE_METHOD(fixture, "what comes back is the next, in its order", "[unit][sticky]") {
  auto const id = worker_of(1);
  all.arrived(from(1, 10));
  CHECK(offers() == numbers{10});
  all.arrived(from(1, 12));
  all.returned(std::vector{from(1, 10), from(1, 11)});
  numbers order;
  for (int count = 0; count < 3; ++count) {
    all.ready(id);
    for (auto const each : offers()) order.push_back(each);
  }
  CHECK(order == numbers{10, 11, 12});
}

TEST_CASE_METHOD(fixture, "the queue of a worker that goes is its heirs'", "[unit][sticky][I1]") {
  auto const busy = worker_of(1);
  all.arrived(from(1, 10));
  CHECK(offers() == numbers{10});
  all.arrived(from(1, 11));
  CHECK(offers().empty());
  all.leave(busy);
  CHECK(offers() == numbers{11});
  CHECK(all.pending() == 0);
}

TEST_CASE("without workers connections wait for the first that comes", "[unit][sticky][I1]") {
  sticky all;
  for (unsigned client = 1; client <= 3; ++client) all.arrived(from(client, client));
  CHECK_FALSE(all.next());
  all.join(worker_id{1}, 0);
  CHECK_FALSE(all.next());
  CHECK(all.pending() == 3);
  all.ready(worker_id{1});
  CHECK(all.next().value().what.connection == connection_id{1});
  all.leave(worker_id{1});
  CHECK(all.take_pending() == std::vector{connection_id{2}, connection_id{3}});
  CHECK(all.pending() == 0);
}

}  // namespace
}  // namespace prong::core
