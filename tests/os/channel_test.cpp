// The seam's channel: frames in order, and each socket with its own frame.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/request.hpp"

#include <algorithm>
#include <charconv>

namespace prong::test {
namespace {

constexpr auto flagged = wire::carries_socket;

tcp::socket connect_to(asio::io_context& io, std::string const& port) {
  tcp::socket result(io);
  result.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoi(port))});
  return result;
}

}  // namespace

// Sends every frame back with what came with it, until the channel ends.
WORKER_PROGRAM(echoes) {
  worker_side self;
  for (arrived next; !receive(self.io, self.link, next);) {
    std::vector<os::native_socket> sockets;
    if (next.attached) sockets.push_back(next.attached.get());
    auto const back = frame(next.id, next.payload, next.attached ? flagged : std::uint16_t{0});
    if (send(self.io, self.link, back, sockets)) return 1;
  }
  return 0;
}

TEST_CASE("frames of every size arrive whole", "[os][C1][C3]") {
  asio::io_context io;
  auto worker = start(io, "echoes");
  for (std::size_t const size :
       {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{65519},
        std::size_t{65520}, std::size_t{65536}, std::size_t{300000}, wire::max_payload}) {
    auto const payload = pattern(size);
    REQUIRE_FALSE(send(io, worker->link, frame(size, payload)));
    auto const back = receive(io, worker->link);
    CHECK(back.id == size);
    CHECK((back.payload == payload));
    CHECK_FALSE(back.attached);
  }
}

// Writes a frame's number into the socket that came with it.
WORKER_PROGRAM(signs_sockets) {
  worker_side self;
  for (arrived next; !receive(self.io, self.link, next);) {
    if (next.flagged != static_cast<bool>(next.attached)) return 1;
    if (!next.attached) continue;
    auto connection = adopt(self.io, std::move(next.attached));
    asio::write(connection, asio::buffer(&next.id, sizeof next.id));
  }
  return 0;
}

TEST_CASE("every socket arrives with its own frame", "[os][C3][C4]") {
  asio::io_context io;
  auto worker = start(io, "signs_sockets");
  std::size_t const frames_in_a_batch = GENERATE(1u, 3u, 50u, 200u);
  auto const send_batch = GENERATE(send, send_now);
  std::vector<std::pair<std::uint64_t, connection>> sent;
  for (std::uint64_t id = 1; id <= 200;) {
    bytes batch;
    std::vector<os::native_socket> sockets;
    for (std::size_t i = 0; i < frames_in_a_batch && id <= 200; ++i, ++id) {
      bool const with_socket = id % 3 == 0 || id % 7 == 0;  // alone, and in rows
      std::size_t const size = id % 10 == 0 ? 70000 : id % 5;
      append(batch, frame(id, pattern(size), with_socket ? flagged : std::uint16_t{0}));
      if (!with_socket) continue;
      sent.emplace_back(id, connection(io));
      sockets.push_back(sent.back().second.server.get());
    }
    REQUIRE_FALSE(send_batch(io, worker->link, batch, sockets));
  }
  for (auto& [id, pair] : sent) {
    std::uint64_t signature = 0;
    REQUIRE_FALSE(read_exactly(io, pair.client, &signature, sizeof signature));
    CHECK(signature == id);
    CHECK(write_byte(pair.server.get(), 'z'));  // the sender's own handle works on
    CHECK(read_byte(io, pair.client) == 'z');
  }
  worker.reset();
}

TEST_CASE("frames of the largest size carry sockets, among small ones", "[os][C3][C4]") {
  asio::io_context io;
  auto worker = start(io, "signs_sockets");
  auto const send_batch = GENERATE(send, send_now);
  connection pairs[] = {connection(io), connection(io), connection(io)};
  bytes batch = frame(1, pattern(wire::max_payload), flagged);
  append(batch, frame(2, pattern(1)));
  append(batch, frame(3, {}, flagged));
  append(batch, frame(4, pattern(wire::max_payload)));
  append(batch, frame(5, pattern(wire::max_payload), flagged));
  REQUIRE_FALSE(send_batch(io, worker->link, batch,
                           {pairs[0].server.get(), pairs[1].server.get(), pairs[2].server.get()}));
  for (std::uint64_t const id : {1u, 3u, 5u}) {
    std::uint64_t signature = 0;
    REQUIRE_FALSE(read_exactly(io, pairs[id / 2].client, &signature, sizeof signature));
    CHECK(signature == id);
  }
}

TEST_CASE("a socket that travels there and back is a new handle of the same connection",
          "[os][C4]") {
  asio::io_context io;
  auto worker = start(io, "echoes");
  connection pair(io);
  REQUIRE_FALSE(send(io, worker->link, frame(1, {}, flagged), {pair.server.get()}));
  auto back = receive(io, worker->link);
  REQUIRE(back.attached);
  pair.server.reset();
  auto server = adopt(io, std::move(back.attached));
  asio::write(server, asio::buffer("z", 1));
  read_byte(io, pair.client);
}

// Reads nothing before somebody connects to the port, and says how much it read.
WORKER_PROGRAM(reads_late) {
  worker_side self;
  auto gate = connect_to(self.io, worker_arguments().at(0));
  read_byte(self.io, gate);
  std::size_t total = 0;
  for (arrived next; !receive(self.io, self.link, next) && !next.payload.empty();) {
    total += next.payload.size();
  }
  return send(self.io, self.link, frame(total)) ? 1 : 0;
}

TEST_CASE("a sender waits for a reader that starts late", "[os]") {
  asio::io_context io;
  error_code ec;
  os::listener listener(io.get_executor(), request(any_port()), ec);
  auto worker = start(io, "reads_late", {std::to_string(listener.local_endpoint().port)});
  auto gate = adopt(io, accept(io, listener));

  bytes batch;
  for (std::uint64_t id = 0; id < 8; ++id) append(batch, frame(id, pattern(1u << 20)));
  append(batch, frame(8));
  std::optional<error_code> sent;
  worker->link.async_send({batch, {}}, completion([&](error_code failed) { sent = failed; }));
  // Two turns of the loop: it is full, and the reader has not begun.
  for (int i = 0; i < 2; ++i) io.poll();
  CHECK_FALSE(sent);

  asio::write(gate, asio::buffer("z", 1));
  run_until(io, [&] { return sent.has_value(); });
  CHECK_FALSE(*sent);
  CHECK(receive(io, worker->link).id == 8u << 20);
}

TEST_CASE("megabytes go both ways at once", "[os][C3]") {
  asio::io_context io;
  auto worker = start(io, "echoes");
  constexpr std::uint64_t count = 64;
  bytes batch;
  for (std::uint64_t id = 0; id < count; ++id) append(batch, frame(id, pattern(100000)));
  std::optional<error_code> sent;
  worker->link.async_send({batch, {}}, completion([&](error_code failed) { sent = failed; }));
  for (std::uint64_t id = 0; id < count; ++id) {
    auto const back = receive(io, worker->link);
    REQUIRE(back.id == id);
    REQUIRE((back.payload == pattern(100000)));
  }
  run_until(io, [&] { return sent.has_value(); });
  CHECK_FALSE(*sent);
}

TEST_CASE("what has arrived already is given at once, but never inside the call", "[os][C1]") {
  asio::io_context io;
  auto worker = start(io, "echoes");
  bytes batch;
  for (std::uint64_t id = 0; id < 3; ++id) append(batch, frame(id));
  REQUIRE_FALSE(send(io, worker->link, batch));
  std::vector<std::uint64_t> ids;
  while (ids.size() < 3) {
    auto const wait = [&](completion then) { worker->link.async_receive(std::move(then)); };
    REQUIRE_FALSE(run_operation(io, wait));
    os::received next;
    REQUIRE(worker->link.next(next));  // one a call: the others stay
    ids.push_back(next.frame.header.id);
  }
  CHECK(ids == std::vector<std::uint64_t>{0, 1, 2});
}

constexpr std::uint64_t no_limit_here = 100;

bool is_lost(arrived const& next, std::uint64_t id) {
  return next.id == id && next.flagged && !next.attached;
}

// Loses the first two sockets for want of a handle; then has one for two, and at last enough.
WORKER_PROGRAM(has_no_free_handle_for_a_while) {
  worker_side self;
  tcp::socket spare(self.io, tcp::v4());
  receive(self.io, self.link);  // also lets sanitizers open what they need
  {
    no_free_handles const limit;
    if (send(self.io, self.link, frame(limit ? 1 : no_limit_here)) || !limit) return 0;
    for (std::uint64_t id = 1; id <= 2; ++id)
      if (!is_lost(receive(self.io, self.link), id)) return 1;
    if (receive(self.io, self.link).id != 3) return 2;
    spare.close();
    if (send(self.io, self.link, frame(1))) return 3;
    if (!receive(self.io, self.link).attached) return 4;
    if (!is_lost(receive(self.io, self.link), 5)) return 5;
  }
  if (send(self.io, self.link, frame(1))) return 6;
  auto next = receive(self.io, self.link);
  if (next.id != 6 || !next.attached) return 7;
  auto connection = adopt(self.io, std::move(next.attached));
  asio::write(connection, asio::buffer("z", 1));
  return 0;
}

TEST_CASE("without a free handle a frame loses its socket, and later frames keep theirs",
          "[os][C11]") {
  asio::io_context io;
  auto worker = start(io, "has_no_free_handle_for_a_while");
  connection first(io);
  connection second(io);
  REQUIRE_FALSE(send(io, worker->link, frame(0)));
  if (receive(io, worker->link).id == no_limit_here) {
    WARN("not shown here: this system has no limit of handles");
    return;
  }
  std::vector const both{first.server.get(), second.server.get()};
  bytes batch = frame(1, pattern(10), flagged);
  append(batch, frame(2, {}, flagged));
  append(batch, frame(3));
  REQUIRE_FALSE(send(io, worker->link, batch, both));
  CHECK(receive(io, worker->link).id == 1);
  batch = frame(4, {}, flagged);
  append(batch, frame(5, {}, flagged));
  REQUIRE_FALSE(send(io, worker->link, batch, both));
  CHECK(receive(io, worker->link).id == 1);
  REQUIRE_FALSE(send(io, worker->link, frame(6, {}, flagged), {second.server.get()}));
  read_byte(io, second.client);
  CHECK(wait_for_exit(io, worker->child).code == 0);
}

}  // namespace prong::test
