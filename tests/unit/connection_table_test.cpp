// The primary's sockets, and the ids by which they are known.
// SPDX-License-Identifier: BSL-1.0
#include "common/connection_table.hpp"

#include "support/catch.hpp"
#include "support/system.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <set>

namespace prong {
namespace {

using asio::ip::tcp;

struct fixture {
  asio::io_context context;
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  connection_table table{1};

  os::socket open() {
    tcp::socket client(context);
    return connected_to(client);
  }
  os::socket connected_to(tcp::socket& client) {
    client.connect(acceptor.local_endpoint());
    return test::accept_from(acceptor.native_handle());
  }
};

TEST_CASE_METHOD(fixture, "a socket is found by its id", "[unit][connection_table]") {
  auto one = open();
  auto two = open();
  auto const native_one = one.get();
  auto const native_two = two.get();
  auto const first = table.add(std::move(one));
  auto const second = table.add(std::move(two));
  CHECK(first != second);
  CHECK(table.get(first) == native_one);
  CHECK(table.get(second) == native_two);
  CHECK(table.size() == 2);
  table.erase(first);
  CHECK(table.get(second) == native_two);
  CHECK(table.size() == 1);
}

TEST_CASE_METHOD(fixture, "an id is never used again", "[unit][connection_table][I10]") {
  std::set<core::connection_id> ids;
  auto const keep = table.add(open());
  ids.insert(keep);
  for (int i = 0; i < 1'000; ++i) {
    auto const id = table.add(open());
    CHECK(ids.insert(id).second);
    table.erase(id);
  }
  CHECK(table.size() == 1);
}

TEST_CASE_METHOD(fixture, "a connection is known by the name of its last offer only",
                 "[unit][connection_table]") {
  auto const id = table.add(open());
  CHECK(table.named(static_cast<std::uint64_t>(id)) != id);
  auto const name = table.name_for_offer(id);
  CHECK(table.named(name) == id);
  auto const next = table.name_for_offer(id);
  CHECK(table.named(next) == id);
  CHECK(table.named(name) != id);
  table.erase(id);
  CHECK(table.named(next) == core::connection_id{});
  CHECK(table.named(~std::uint64_t{}) == core::connection_id{});
}

TEST_CASE_METHOD(fixture, "a socket that is forgotten is closed", "[unit][connection_table][I10]") {
  tcp::socket client(context);
  auto const id = table.add(connected_to(client));
  client.non_blocking(true);
  char byte = 0;
  error_code ec;
  client.receive(asio::buffer(&byte, 1), 0, ec);
  CHECK(ec == asio::error::would_block);
  table.erase(id);
  client.non_blocking(false);
  client.receive(asio::buffer(&byte, 1), 0, ec);
  CHECK(ec == asio::error::eof);
}

}  // namespace
}  // namespace prong
