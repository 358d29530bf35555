// What prong does to the process that it lives in, and what befalls a process.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/temporary_folder.hpp"

#include <array>
#include <boost/system/system_error.hpp>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace prong::test {

TEST_CASE("a primary changes no signal mask and no signal handler", "[process][D8]") {
  auto const before = signal_settings();
  fixture f(pool_of(2));
  CHECK(signal_settings() == before);
  f.listening(2);
  CHECK(signal_settings() == before);
  f.boss->kill(worker_id{1});
  f.expect<worker_exited>();
  CHECK_FALSE(f.shutdown());
  CHECK(signal_settings() == before);
  CHECK_FALSE(has_child());
}

TEST_CASE("a worker that has ended leaves no zombie", "[process][D8]") {
  fixture f({});
  for (int count = 0; count < 10; ++count) {
    f.boss->kill(f.fork("echo"));
    f.expect<worker_exited>();
    CHECK_FALSE(has_child());
  }
}

TEST_CASE("a program that ignores its children's end hears of its workers' all the same",
          "[process][D8]") {
  ignored_children const ignored;
  fixture f(pool_of(1));
  f.listening();
  f.boss->kill(worker_id{1});
  CHECK(f.expect<worker_exited>().id == worker_id{1});
  f.listening();
  CHECK_FALSE(f.shutdown());
}

WORKER_PROGRAM(says_whether_it_has_more_handles) {
  auto const expected = expected_worker_handles();
  bool const right = open_handles() == expected;
  asio::io_context io;
  worker self(io);
  asio::co_spawn(io, tell(self, right ? "no" : "yes"), detached);
  io.run_one();
  io.run();
  return 0;
}

TEST_CASE("a worker has the standard streams, its channel, and no other handle", "[process][D8]") {
  fixture f({});
  // Asio's sockets would be inherited if nothing were done about it.
  tcp::acceptor not_theirs(f.io, any_port());
  client other(f, not_theirs.local_endpoint());
  f.fork("echo");
  f.listening();
  auto const id = f.fork("says_whether_it_has_more_handles");
  CHECK(f.expect_message(id) == "no");
}

TEST_CASE("what no primary has started is no worker", "[process][D8][grandchild]") {
  CHECK_FALSE(is_worker());
  CHECK(is_primary());
}

// Runs the test above in a process of its own.
WORKER_BODY(starts_a_program)(worker& self)->awaitable<void> {
  auto const command = '"' + std::filesystem::canonical(running_program()).string() +
                       "\" \"[grandchild]\" > " + std::getenv("PRONG_TEST_OUTPUT");
  std::string result = "it takes itself for one";
  if (run_in_shell(command) == 0) result = "it is none";
  co_await tell(self, result);
}

TEST_CASE("a program that a worker starts is no worker", "[process][D8]") {
  temporary_folder const folder;
  auto const output = folder.path / "output";
  options settings;
  settings.worker.environment.emplace_back("PRONG_TEST_OUTPUT", output.string());
  fixture f(settings);
  CHECK(f.expect_message(f.fork("starts_a_program")) == "it is none");
  std::ifstream file(output);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text.find("2 assertions") != std::string::npos);
}

WORKER_PROGRAM(has_lost_its_channel) {
  remove_variable("PRONG_CHANNEL");
  asio::io_context io;
  try {
    worker const self(io);
  } catch (boost::system::system_error const&) {
    return 42;
  }
  return 0;
}

TEST_CASE("who is a worker and has no channel fails at once", "[process][D8]") {
  fixture f({});
  f.fork("has_lost_its_channel");
  CHECK(f.expect<worker_exited>().status == 42);
}

// --- No handle is left --------------------------------------------------------------------------

TEST_CASE("a primary without free handles waits with accepting, and goes on", "[process][EMFILE]") {
  auto settings = round_robin_pool_of(2);
  int pauses = 0;
  settings.log = [&](log_level, std::string_view text) {
    pauses += text.find("accepting pauses") != std::string_view::npos;
  };
  fixture f(settings);
  auto const port = f.listening(2);
  client before(f, port);
  before.server();
  client one(f, port), two(f, port);
  {
    no_free_handles const none;
    if (!none) {
      WARN("not shown here: this system has no limit of handles");
      return;
    }
    f.run_until([&] { return pauses > 0; });
    CHECK(before.ask("still served") == "still served");
  }
  one.server();
  CHECK(one.ask("hello") == "hello");
  two.server();
  CHECK(two.ask("hello") == "hello");
}

TEST_CASE("a worker that cannot be started for want of handles is started when there are some",
          "[process][EMFILE]") {
  fixture f({});
  {
    no_free_handles const none;
    if (!none) {
      WARN("not shown here: this system has no limit of handles");
      return;
    }
    auto const id = f.fork("echo");
    CHECK(f.expect_from<worker_exited>(id).error == boost::system::errc::too_many_files_open);
  }
  auto const id = f.fork("echo");
  CHECK(client(f, f.listening()).server() == id);
}

WORKER_BODY(has_no_handles_when_told)(worker& self)->awaitable<void> {
  serve_any_port(self);
  co_await hear(self, "starve");
  {
    no_free_handles const none;
    std::string result = "no such limit";
    if (none) result = "starved";
    co_await tell(self, result);
    co_await hear(self, "recover");
  }
  co_await tell(self, "recovered");
  co_await answer_messages(self);
}

TEST_CASE("connections for a worker without free handles go to others", "[process][EMFILE]") {
  fixture f(round_robin_pool_of(0));
  auto const starved = f.fork("has_no_handles_when_told");
  auto const other = f.fork("echo");
  auto const port = f.listening(2);
  if (f.ask(starved, "starve") != "starved") {
    WARN("not shown here: this system has no limit of handles");
    return;
  }
  for (int count = 0; count < 20; ++count) CHECK(client(f, port).server() == other);
  CHECK(f.ask(starved, "recover") == "recovered");
  while (client(f, port).server() != starved) continue;
}

// --- A worker that does not keep to the protocol ------------------------------------------------

namespace {

constexpr auto garbage() {
  std::array<std::byte, 64> bytes{};
  bytes.fill(std::byte{0xee});
  return bytes;
}

}  // namespace

WORKER_PROGRAM(begins_with_garbage) {
  write_to_channel(garbage());
  spin();
}

// Serves at first.
WORKER_PROGRAM(goes_on_with_garbage) {
  std::string const channel = std::getenv("PRONG_CHANNEL");
  asio::io_context io;
  worker self(io);
  serve_any_port(self);
  asio::co_spawn(io, hear(self, "go wrong"), [&](std::exception_ptr) {
    set_variable("PRONG_CHANNEL", channel);
    write_to_channel(garbage());
  });
  io.run();
  return 0;
}

TEST_CASE("a worker that sends what is no frame ends, and nobody else", "[process][D9]") {
  fixture f({});
  auto const good = f.fork("echo_both");
  auto const port = f.listening();
  client before(f, port);
  before.server();
  auto const bad = f.fork(GENERATE("begins_with_garbage", "goes_on_with_garbage"));
  f.send(bad, "go wrong");
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.id == bad);
  CHECK(gone.error == errc::protocol_error);
  CHECK(f.ids() == std::vector{good});
  CHECK(f.ask(good, "hello") == "hello");
  CHECK(before.ask("hello") == "hello");
  CHECK(client(f, port).server() == good);
}

}  // namespace prong::test
