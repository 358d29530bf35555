// How a channel ends: by its peer, by this side, or by what no channel of ours sends.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

#include <prong/error.hpp>

namespace prong::test {
namespace {

constexpr auto flagged = wire::carries_socket;

// Everything that still arrives; the last is why no more does.
std::pair<std::vector<std::uint64_t>, error_code> receive_all(asio::io_context& io,
                                                              os::channel& link) {
  std::vector<std::uint64_t> ids;
  arrived next;
  error_code ec;
  while (!(ec = receive(io, link, next))) ids.push_back(next.id);
  return {ids, ec};
}

using id_list = std::vector<std::uint64_t>;

}  // namespace

WORKER_PROGRAM(sends_three_and_ends) {
  worker_side self;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    if (send(self.io, self.link, frame(id, pattern(1000)))) return 1;
  }
  return 0;
}

TEST_CASE("after the last frame of a worker comes eof, however often one asks", "[os]") {
  asio::io_context io;
  auto worker = start(io, "sends_three_and_ends");
  auto const [ids, why] = receive_all(io, worker->link);
  CHECK(ids == id_list{1, 2, 3});
  CHECK(why == asio::error::eof);
  arrived none;
  CHECK(receive(io, worker->link, none) == asio::error::eof);
  CHECK(send(io, worker->link, frame(1)) == asio::error::eof);
}

// Leaves something unread, so that the system may call the end a reset.
WORKER_PROGRAM(sends_three_and_ends_unheard) {
  worker_side self;
  run_operation(self.io, [&](completion then) { self.link.async_receive(std::move(then)); });
  bytes batch;
  for (std::uint64_t id = 1; id <= 3; ++id) append(batch, frame(id));
  return send(self.io, self.link, batch) ? 1 : 0;
}

TEST_CASE("frames of a worker that ended with frames unread still arrive", "[os]") {
  asio::io_context io;
  auto worker = start(io, "sends_three_and_ends_unheard");
  bytes batch;
  for (std::uint64_t id = 0; id < 10; ++id) append(batch, frame(id, pattern(20000)));
  REQUIRE_FALSE(send(io, worker->link, batch));
  wait_for_exit(io, worker->child);
  auto const [ids, why] = receive_all(io, worker->link);
  CHECK(ids == id_list{1, 2, 3});
  CHECK(why == asio::error::eof);
}

WORKER_PROGRAM(sends_for_ever) {
  worker_side self;
  for (std::uint64_t id = 0;; ++id) {
    if (send(self.io, self.link, frame(id, pattern(5000)))) return 1;
  }
}

TEST_CASE("a worker that is killed while it sends leaves whole frames, then eof", "[os][C3]") {
  asio::io_context io;
  auto worker = start(io, "sends_for_ever");
  std::uint64_t expected = 0;
  while (expected < 50) REQUIRE(receive(io, worker->link).id == expected++);
  error_code ec;
  worker->child.kill(ec);
  arrived next;
  while (!(ec = receive(io, worker->link, next))) {
    REQUIRE(next.id == expected++);
    REQUIRE((next.payload == pattern(5000)));
  }
  CHECK(ec == asio::error::eof);
  wait_for_exit(io, worker->child);
}

// Frames 1 and 2, while another process holds the channel as well.
WORKER_PROGRAM(leaves_its_channel_to_another) {
  hold_channel_in_grandchild();
  worker_side self;
  bytes batch = frame(1);
  append(batch, frame(2, pattern(100000)));
  return send(self.io, self.link, batch) ? 1 : 0;
}

TEST_CASE("after peer_exited come the frames, then eof, though somebody holds the other end",
          "[os][C6]") {
  asio::io_context io;
  auto worker = start(io, "leaves_its_channel_to_another");
  CHECK(wait_for_exit(io, worker->child).code == 0);
  worker->link.peer_exited();
  auto const [ids, why] = receive_all(io, worker->link);
  CHECK(ids == id_list{1, 2});
  CHECK(why == asio::error::eof);
}

// Leaves a frame, and then does what it is asked to.
WORKER_PROGRAM(leaves_frames) {
  worker_side self;
  wire::frame_header header;
  header.kind = static_cast<std::uint16_t>(wire::frame_kind::took);
  for (header.id = 1; self.link.leave(header, 0);) ++header.id;
  if (receive(self.io, self.link).text() == "die") return 0;
  send(self.io, self.link, frame(9'999));
  return receive(self.io, self.link).text() == "end" ? 0 : 1;
}

TEST_CASE("a frame that was left is found with the next one that is sent", "[os][C16]") {
  asio::io_context io;
  auto worker = start(io, "leaves_frames");
  REQUIRE_FALSE(send(io, worker->link, frame(1, as_bytes("send"))));
  for (std::uint64_t id = 1; id <= 1024; ++id) CHECK(receive(io, worker->link).id == id);
  CHECK(receive(io, worker->link).id == 9'999);
  REQUIRE_FALSE(send(io, worker->link, frame(1, as_bytes("end"))));
}

// Tells in which epochs it can leave a frame.
WORKER_PROGRAM(tries_to_leave) {
  worker_side self;
  wire::frame_header header;
  header.kind = static_cast<std::uint16_t>(wire::frame_kind::took);
  while (receive(self.io, self.link).text() != "end") {
    header.id = self.link.epoch();
    bool const before = self.link.leave(header, self.link.epoch() - 1);
    bool const now = self.link.leave(header, self.link.epoch());
    send(self.io, self.link, frame(before ? 1 : now ? 2 : 3));
  }
  return 0;
}

TEST_CASE("when the primary has ended an epoch nothing is left in it", "[os][C16]") {
  asio::io_context io;
  auto worker = start(io, "tries_to_leave");
  for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
    CHECK(worker->link.epoch() == epoch);
    REQUIRE_FALSE(send(io, worker->link, frame(1, as_bytes("try"))));
    auto const left = receive(io, worker->link);
    CHECK(left.id == epoch);
    CHECK(receive(io, worker->link).id == 2);
    REQUIRE(worker->link.end_epoch());
  }
  REQUIRE_FALSE(send(io, worker->link, frame(1, as_bytes("end"))));
}

TEST_CASE("a frame that was left is found after the end of who left it", "[os][C6][C16]") {
  asio::io_context io;
  auto worker = start(io, "leaves_frames");
  REQUIRE_FALSE(send(io, worker->link, frame(1, as_bytes("die"))));
  CHECK(wait_for_exit(io, worker->child).code == 0);
  worker->link.peer_exited();
  arrived next;
  std::uint64_t count = 0;
  while (!receive(io, worker->link, next)) CHECK(next.id == ++count);
  CHECK(count == 1024);
}

TEST_CASE("peer_exited ends a receive and a send that wait", "[os][C1][C6]") {
  asio::io_context io;
  auto worker = start(io, "leaves_its_channel_to_another");
  CHECK(receive(io, worker->link).id == 1);
  CHECK(receive(io, worker->link).id == 2);
  std::optional<error_code> received;
  std::optional<error_code> sent;
  auto much = frame(1, pattern(wire::max_payload));
  worker->link.async_receive(completion([&](error_code ec) { received = ec; }));
  worker->link.async_send({much, {}}, completion([&](error_code ec) { sent = ec; }));
  CHECK(wait_for_exit(io, worker->child).code == 0);
  CHECK_FALSE(received);
  CHECK_FALSE(sent);
  worker->link.peer_exited();
  CHECK_FALSE(received);
  run_until(io, [&] { return received && sent; });
  CHECK(*received == asio::error::eof);
  CHECK(*sent == asio::error::eof);
}

// Closes its channel and lives on, until a byte comes on the connection.
WORKER_PROGRAM(closes_its_channel) {
  asio::io_context io;
  std::optional<tcp::socket> connection;
  {
    worker_side self;
    connection = adopt(io, std::move(receive(self.io, self.link).attached));
  }
  return read_byte(io, *connection);
}

TEST_CASE("a worker that closes its channel ends the channel and not itself", "[os][C10]") {
  asio::io_context io;
  auto worker = start(io, "closes_its_channel");
  connection pair(io);
  REQUIRE_FALSE(send(io, worker->link, frame(1, {}, flagged), {pair.server.get()}));
  CHECK(receive_all(io, worker->link).second == asio::error::eof);
  char const byte = 42;
  asio::write(pair.client, asio::buffer(&byte, 1));
  CHECK(wait_for_exit(io, worker->child).code == 42);
}

WORKER_PROGRAM(waits_for_the_end) {
  worker_side self;
  arrived next;
  while (!receive(self.io, self.link, next)) continue;
  return 0;
}

// Never reads its channel; ends when the connection does.
WORKER_PROGRAM(never_reads_on) {
  worker_side self;
  auto connection = adopt(self.io, std::move(receive(self.io, self.link).attached));
  char byte = 0;
  read_exactly(self.io, connection, &byte, 1);
  return 0;
}

TEST_CASE("destroying a channel completes its operations with operation_aborted", "[os][C1][C2]") {
  asio::io_context io;
  auto worker = start(io, "never_reads_on");
  connection pair(io);
  REQUIRE_FALSE(send(io, worker->link, frame(1, {}, flagged), {pair.server.get()}));
  pair.server.reset();
  std::optional<error_code> received;
  std::optional<error_code> sent;
  bytes much;
  for (std::uint64_t id = 0; id < 8; ++id) append(much, frame(id, pattern(1u << 20)));
  {
    auto const link = std::make_unique<os::channel>(std::move(worker->link));
    link->async_receive(completion([&](error_code ec) { received = ec; }));
    link->async_send({much, {}}, completion([&](error_code ec) { sent = ec; }));
    io.poll();
    io.restart();
  }
  CHECK_FALSE(received);
  CHECK_FALSE(sent);
  run_until(io, [&] { return received && sent; });
  CHECK(*received == asio::error::operation_aborted);
  CHECK(*sent == asio::error::operation_aborted);
  pair.client.close();
  CHECK(wait_for_exit(io, worker->child).code == 0);
}

TEST_CASE("a channel may be destroyed while a completion is on its way", "[os][C2]") {
  asio::io_context io;
  auto worker = start(io, "waits_for_the_end");
  std::optional<error_code> sent;
  auto what = frame(1);
  {
    auto const link = std::make_unique<os::channel>(std::move(worker->link));
    link->async_send({what, {}}, completion([&](error_code ec) { sent = ec; }));
  }
  run_until(io, [&] { return sent.has_value(); });
  CHECK(wait_for_exit(io, worker->child).code == 0);
}

TEST_CASE("handlers that never ran are destroyed with the io_context", "[os][C2]") {
  auto const owned = std::make_shared<int>(0);
  {
    asio::io_context io;
    auto worker = start(io, "waits_for_the_end");
    worker->link.async_receive(completion([owned](error_code) {}));
    worker->child.async_wait(detail::handler<void(error_code, os::exit_status)>(
        [owned](error_code, os::exit_status) {}));
    io.poll();
  }
  CHECK(owned.use_count() == 1);
}

WORKER_PROGRAM(sends_garbage) {
  auto const kind = worker_arguments().at(0);
  bytes batch = frame(1);
  append(batch, frame(2));
  if (kind == "unknown flags") append(batch, frame(3, {}, 0x0080));
  if (kind == "no socket") append(batch, frame(3, {}, flagged));
  if (kind == "too long") {
    wire::frame_header header;
    header.length = static_cast<std::uint32_t>(wire::max_payload + 1);
    batch.resize(batch.size() + wire::header_size);
    header.encode(std::span(batch).last<wire::header_size>());
  }
  if (kind == "half a header") append(batch, bytes(wire::header_size / 2));
  if (kind == "half a frame") {
    append(batch, frame(3, pattern(1000)));
    batch.resize(batch.size() - 1);
  }
  write_to_channel(batch);
  worker_side self;
  arrived next;
  while (kind.find("half") != 0 && !receive(self.io, self.link, next)) continue;
  return 0;
}

TEST_CASE("what no channel of ours sends ends the channel, after the frames before it", "[os]") {
  asio::io_context io;
  std::string const kind =
      GENERATE("unknown flags", "no socket", "too long", "half a header", "half a frame");
  auto worker = start(io, "sends_garbage", {kind});
  auto const [ids, why] = receive_all(io, worker->link);
  INFO(kind);
  CHECK(ids == id_list{1, 2});
  auto const expected =
      kind.find("half") == 0 ? error_code(asio::error::eof) : make_error_code(errc::protocol_error);
  CHECK(why == expected);
}

}  // namespace prong::test
