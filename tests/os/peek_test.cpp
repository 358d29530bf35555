// The seam's look at what a connection begins with.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

#include <array>

namespace prong::test {
namespace {

struct looking : connection {
  looking() : connection(io_) {}

  std::string peek(std::size_t most = 100) {
    std::vector<std::byte> bytes(most);
    auto const size = os::peek(server.get(), bytes, ec);
    return {reinterpret_cast<char const*>(bytes.data()), size};
  }
  // Looks again until so much has come.
  std::string peek_until(std::size_t size) {
    std::string seen;
    while (seen.size() < size) {
      auto const before = seen.size();
      seen = peek();
      REQUIRE(seen.size() >= before);
    }
    return seen;
  }
  void say(std::string_view text) { asio::write(client, asio::buffer(text)); }

  error_code ec;
  static inline asio::io_context io_;
};

}  // namespace

TEST_CASE("a look at a connection on which nothing has come does not wait", "[os][C17]") {
  looking one;
  CHECK(one.peek().empty());
  CHECK(one.ec == asio::error::would_block);
}

TEST_CASE("a look at a connection takes nothing", "[os][C17]") {
  looking one;
  one.say("hello");
  CHECK(one.peek_until(5) == "hello");
  CHECK(one.peek(2) == "he");
  one.say(" again");
  CHECK(one.peek_until(11) == "hello again");
  auto server = adopt(one.io_, std::move(one.server));
  std::string text(11, ' ');
  REQUIRE_FALSE(read_exactly(one.io_, server, text.data(), text.size()));
  CHECK(text == "hello again");
}

TEST_CASE("a look at a connection that has ended says so", "[os][C17]") {
  looking one;
  one.client.close();
  do {
    CHECK(one.peek().empty());
  } while (one.ec == asio::error::would_block);
  CHECK(one.ec == asio::error::eof);
}

WORKER_PROGRAM(reads_what_was_looked_at) {
  worker_side self;
  auto connection = adopt(self.io, receive(self.io, self.link).attached);
  std::string text(5, ' ');
  if (read_exactly(self.io, connection, text.data(), text.size())) return 1;
  return send(self.io, self.link, frame(0, as_bytes(text))) ? 1 : 0;
}

TEST_CASE("another process reads all of a connection that was looked at", "[os][C17]") {
  looking one;
  one.say("hel");
  CHECK(one.peek_until(3) == "hel");
  auto worker = start(one.io_, "reads_what_was_looked_at");
  auto const offer = frame(1, {}, wire::carries_socket);
  REQUIRE_FALSE(send(one.io_, worker->link, offer, {one.server.get()}));
  one.say("lo");
  CHECK(receive(one.io_, worker->link).text() == "hello");
}

}  // namespace prong::test
