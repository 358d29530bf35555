// Clients that come again to the same worker, by their address or by what a proxy says.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <boost/asio/read_until.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace prong::test {
namespace {

options sticky_pool_of(std::size_t workers) {
  auto settings = pool_of(workers);
  settings.scheduling = scheduling::sticky;
  settings.respawn.initial_delay = 1ms;
  return settings;
}

std::size_t slot_of(fixture& f, worker_id id) {
  auto const all = f.boss->workers();
  auto const at = std::ranges::find(all, id, &worker_info::id);
  REQUIRE(at != all.end());
  return at->slot;
}

// From 127.0.0.`number`. None where the system has only one address for itself.
std::optional<client> from(fixture& f, tcp::endpoint const& port, unsigned number) {
  tcp::socket socket(f.io, tcp::v4());
  error_code ec;
  socket.bind({asio::ip::address_v4(0x7f000000u + number), 0}, ec);
  if (ec) return std::nullopt;
  socket.connect(port);
  return client(f, std::move(socket));
}

bool has_many_addresses(fixture& f, tcp::endpoint const& port) {
  if (from(f, port, 2)) return true;
  WARN("this machine has one address for itself");
  return false;
}

constexpr unsigned first_client = 2, last_client = 41;

std::map<unsigned, worker_id> servers_of_all(fixture& f, tcp::endpoint const& port) {
  std::map<unsigned, worker_id> servers;
  for (auto number = first_client; number <= last_client; ++number)
    servers[number] = from(f, port, number)->server();
  return servers;
}

std::string header_of(unsigned client) {
  return "PROXY TCP4 10.0.0." + std::to_string(client) + " 10.1.0.1 1000 80\r\n";
}

// A proxy's connection, whose header is sent with what the client says.
client through_proxy(fixture& f, tcp::endpoint const& port, std::string const& header) {
  tcp::socket socket(f.io);
  socket.connect(port);
  asio::write(socket, asio::buffer(header));
  return client(f, std::move(socket));
}

awaitable<void> greet_behind_proxy(tcp::socket connection, worker_id by) {
  std::string header;
  auto const size = co_await asio::async_read_until(connection, asio::dynamic_buffer(header),
                                                    "\r\n", use_awaitable);
  co_await say(connection, std::to_string(static_cast<unsigned>(by)));
  co_await say(connection, header.substr(0, size - 2));
}

}  // namespace

TEST_CASE("with sticky, connections of one address all go to one worker", "[process]") {
  fixture f(sticky_pool_of(4));
  auto const port = f.listening(4);
  auto const server = client(f, port).server();
  for (int count = 0; count < 10; ++count) CHECK(client(f, port).server() == server);
}

TEST_CASE("with sticky, many addresses are spread over all workers", "[process]") {
  fixture f(sticky_pool_of(4));
  auto const port = f.listening(4);
  if (!has_many_addresses(f, port)) return;
  auto const servers = servers_of_all(f, port);
  std::map<worker_id, int> counts;
  for (auto const& [_, id] : servers) ++counts[id];
  REQUIRE(counts.size() == 4);
  for (auto const& [_, count] : counts) CHECK(count >= 3);
  CHECK(servers_of_all(f, port) == servers);
}

TEST_CASE("with sticky, only the clients of a dead worker move, and its successor has them again",
          "[process]") {
  auto settings = sticky_pool_of(0);
  fixture f(settings);
  for (int count = 0; count < 3; ++count) f.fork("echo");
  auto const port = f.listening(3);
  if (!has_many_addresses(f, port)) return;
  auto const before = servers_of_all(f, port);
  auto const dead = before.begin()->second;
  f.boss->kill(dead);
  f.expect_from<worker_exited>(dead);
  for (auto const& [number, id] : servers_of_all(f, port)) {
    if (before.at(number) == dead)
      CHECK(id != dead);
    else
      CHECK(id == before.at(number));
  }
  auto const successor = f.fork("echo");
  f.listening();
  for (auto const& [number, id] : servers_of_all(f, port))
    CHECK(id == (before.at(number) == dead ? successor : before.at(number)));
}

TEST_CASE("with sticky, a reload moves no client to another slot", "[process]") {
  fixture f(sticky_pool_of(3));
  auto const port = f.listening(3);
  auto const before = client(f, port).server();
  auto const slot = slot_of(f, before);
  CHECK_FALSE(f.reload());
  f.listening(3);
  auto const after = client(f, port).server();
  CHECK(after != before);
  CHECK(slot_of(f, after) == slot);
}

WORKER_BODY(greets_behind_proxy)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  for (;;) {
    auto connection = co_await listener.async_accept(use_awaitable);
    auto greeting = greet_behind_proxy(std::move(connection), self.id());
    asio::co_spawn(self.get_executor(), std::move(greeting), detached);
  }
}

TEST_CASE("behind a proxy the address in its header decides, and the worker reads the header",
          "[process]") {
  auto settings = sticky_pool_of(3);
  settings.proxy_protocol = true;
  fixture f(settings, "greets_behind_proxy");
  auto const port = f.listening(3);
  std::set<worker_id> servers;
  for (unsigned number = 1; number <= 20; ++number) {
    auto const header = header_of(number);
    auto first = through_proxy(f, port, header);
    auto const id = first.server();
    CHECK(first.read_line() == header.substr(0, header.size() - 2));
    CHECK(through_proxy(f, port, header).server() == id);
    servers.insert(id);
  }
  CHECK(servers.size() == 3);
}

TEST_CASE("a proxy's header may come in pieces, and others are served meanwhile", "[process]") {
  auto settings = sticky_pool_of(3);
  settings.proxy_protocol = true;
  fixture f(settings, "greets_behind_proxy");
  auto const port = f.listening(3);
  auto const header = header_of(7);
  auto const id = through_proxy(f, port, header).server();
  auto slow = through_proxy(f, port, header.substr(0, 9));
  CHECK(through_proxy(f, port, header).server() == id);
  asio::write(slow.socket, asio::buffer(header.substr(9, 12)));
  CHECK(through_proxy(f, port, header).server() == id);
  asio::write(slow.socket, asio::buffer(header.substr(21)));
  CHECK(slow.server() == id);
  CHECK(slow.read_line() == header.substr(0, header.size() - 2));
}

TEST_CASE("a connection without the proxy's header is closed", "[process]") {
  auto settings = sticky_pool_of(2);
  settings.proxy_protocol = true;
  std::string logged;
  settings.log = [&](log_level, std::string_view text) { logged += text; };
  fixture f(settings, "greets_behind_proxy");
  auto const port = f.listening(2);
  CHECK_FALSE(through_proxy(f, port, "GET / HTTP/1.1\r\n").read_line());
  CHECK(logged.find("PROXY header") != std::string::npos);
  CHECK(through_proxy(f, port, "PROXY UNKNOWN\r\n").read_line());
}

TEST_CASE("the user's function hears of the client that the proxy's header names", "[process]") {
  auto settings = pool_of(2);
  settings.scheduling = scheduling::custom;
  settings.proxy_protocol = true;
  std::vector<tcp::endpoint> asked;
  settings.choose_worker = [&](tcp::endpoint const& client, std::span<candidate const> workers) {
    asked.push_back(client);
    return workers.front().id;
  };
  fixture f(settings, "greets_behind_proxy");
  auto const port = f.listening(2);
  through_proxy(f, port, header_of(7)).server();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].address().to_string() == "10.0.0.7");
  CHECK(asked[0].port() == 1000);
}

}  // namespace prong::test
