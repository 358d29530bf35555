// How the pool is kept alive.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>

namespace prong::test {
namespace {

options quick_pool_of(std::size_t count) {
  auto settings = pool_of(count);
  settings.respawn.initial_delay = 1ms;
  settings.respawn.max_delay = 5ms;
  settings.respawn.max_deaths = 1'000'000;
  return settings;
}

// A place for a program, and nothing there at first.
struct missing_program {
  temporary_folder folder;
  std::filesystem::path const place = folder.path / "server";

  void put() const {
    auto const ready = folder.path / "ready";
    std::filesystem::copy_file(running_program(), ready);
    replace_program(ready, place);
  }
  void remove() const { remove_program(place); }
};

}  // namespace

WORKER_BODY(ends_when_told)(worker& self)->awaitable<void> {
  auto const how = co_await self.async_receive(use_awaitable);
  if (how.topic == "abort") std::abort();
  std::_Exit(std::stoi(how.topic));
}

TEST_CASE("a worker that ends is replaced, and the event says how it ended", "[process]") {
  fixture f(pool_of(1), "ends_when_told");
  auto const id = f.expect<worker_online>().id;
  auto const how = GENERATE(0, 3, 255);
  f.send_last(id, std::to_string(how));
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.id == id);
  CHECK(gone.process != 0);
  CHECK(gone.status == how);
  CHECK(gone.signal == 0);
  CHECK_FALSE(gone.exited_after_disconnect);
  CHECK_FALSE(gone.error);
  CHECK(f.expect<worker_online>().id > id);
}

TEST_CASE("a worker that aborts or is killed is replaced, and the event says so", "[process]") {
  fixture f(pool_of(1), "ends_when_told");
  auto const id = f.expect<worker_online>().id;
  if (GENERATE(false, true))
    f.boss->kill(id);
  else
    f.send_last(id, "abort");
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.status != 0);
  if (gone.signal != 0) CHECK(gone.status == 128 + gone.signal);
  CHECK_FALSE(gone.exited_after_disconnect);
  CHECK_FALSE(gone.error);
  CHECK(f.expect<worker_online>().id > id);
}

TEST_CASE("the events of a worker come in their order", "[process]") {
  fixture f({});
  auto const id = f.fork("echo_both");
  CHECK(std::get<worker_forked>(f.next_event()).id == id);
  CHECK(std::get<worker_online>(f.next_event()).id == id);
  CHECK(std::get<worker_listening>(f.next_event()).id == id);
  REQUIRE_FALSE(f.send(id, "hello"));
  CHECK(std::get<worker_message>(f.next_event()).id == id);
  REQUIRE_FALSE(f.disconnect(id));
  CHECK(std::get<worker_disconnected>(f.next_event()).id == id);
  CHECK(std::get<worker_exited>(f.next_event()).id == id);
}

WORKER_PROGRAM(returns_3) {
  return 3;
}

TEST_CASE("workers that die too fast suspend the respawning for a while", "[process]") {
  auto settings = quick_pool_of(1);
  settings.respawn.max_deaths = 3;
  settings.respawn.revive_after = 50ms;
  fixture f(settings, "returns_3");
  auto const suspended = f.expect<respawn_suspended>();
  CHECK(suspended.deaths == 4);
  CHECK(suspended.pause == 50ms);
  f.next_worker_runs("echo");
  f.expect<respawn_resumed>();
  // Four were started before, and none while it was suspended.
  CHECK(f.expect<worker_listening>().id == worker_id{5});
}

TEST_CASE("a worker that cannot be started is two events, and its slot is filled when it can",
          "[process]") {
  missing_program const program;
  auto settings = quick_pool_of(2);
  settings.worker.executable = program.place;
  fixture f(settings);
  auto const forked = f.expect<worker_forked>();
  CHECK(forked.process == 0);
  auto const gone = f.expect_from<worker_exited>(forked.id);
  CHECK(gone.process == 0);
  CHECK(gone.error == boost::system::errc::no_such_file_or_directory);
  program.put();
  auto const port = f.listening(2);
  CHECK(client(f, port).ask("") != "");
}

TEST_CASE("a connection that comes while no worker lives is served by the next one", "[process]") {
  missing_program const program;
  program.put();
  auto settings = quick_pool_of(1);
  settings.worker.executable = program.place;
  fixture f(settings);
  auto const port = f.listening();
  program.remove();
  f.boss->kill(f.ids().front());
  f.expect<worker_exited>([](auto const& what) { return what.error.failed(); });
  client one(f, port);
  program.put();
  CHECK(one.server() > worker_id{2});
  CHECK(one.ask("hello") == "hello");
}

WORKER_PROGRAM(never_constructs_its_worker) {
  spin();
}

TEST_CASE("a worker that does not get ready in time is killed", "[process]") {
  auto settings = pool_of(1);
  settings.start_timeout = 50ms;
  fixture f(settings, "never_constructs_its_worker");
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.error == errc::start_timeout);
  CHECK(gone.status != 0);
  CHECK_FALSE(gone.exited_after_disconnect);
}

TEST_CASE("a worker that does not stop in time is killed", "[process]") {
  options settings;
  settings.stop_timeout = 50ms;
  fixture f(settings);
  auto const id = f.fork("says_that_it_spins");
  CHECK(f.expect_message(id) == "about to spin");
  CHECK_FALSE(f.disconnect(id));
  auto const gone = f.expect<worker_exited>();
  CHECK(gone.error == errc::stop_timeout);
  CHECK(gone.status != 0);
  CHECK(gone.exited_after_disconnect);
}

WORKER_BODY(says_that_it_spins)(worker& self)->awaitable<void> {
  co_await tell(self, "about to spin");
  spin();
}

TEST_CASE("a pool can grow and shrink", "[process]") {
  fixture f(pool_of(1));
  f.listening();
  f.boss->resize(3);
  f.listening(2);
  CHECK(f.ids().size() == 3);
  f.boss->resize(1);
  CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK(f.ids().size() == 1);
}

// --- By hand ------------------------------------------------------------------------------------

TEST_CASE("a worker that was forked by hand is not replaced", "[process]") {
  fixture f({});
  auto const id = f.fork("ends_when_told");
  f.send_last(f.expect<worker_online>().id, "0");
  CHECK(f.expect<worker_exited>().id == id);
  CHECK(f.boss->workers().empty());
  // Had another been started, it would have come before this one.
  CHECK(f.fork("ends_when_told") == worker_id{2});
  CHECK(f.expect<worker_online>().id == worker_id{2});
}

TEST_CASE("by hand, a port closes with the last worker that listens on it", "[process]") {
  fixture f({});
  f.fork("echo");
  f.fork("echo");
  auto const port = f.listening(2);
  f.boss->kill(worker_id{1});
  f.expect<worker_exited>();
  CHECK(client(f, port).server() == worker_id{2});
  f.boss->kill(worker_id{2});
  f.expect<worker_exited>();
  CHECK_THROWS_AS(client(f, port), boost::system::system_error);
}

TEST_CASE("by hand, a port can be kept open without a worker", "[process]") {
  options settings;
  settings.keep_ports_open = true;
  fixture f(settings);
  auto const first = f.fork("echo");
  auto const port = f.listening();
  f.boss->kill(first);
  f.expect<worker_exited>();
  client one(f, port);
  auto const second = f.fork("echo");
  CHECK(one.server() == second);
  CHECK(f.listening() == port);
}

TEST_CASE("a pool can let its ports close with their last worker", "[process]") {
  auto settings = pool_of(1);
  settings.keep_ports_open = false;
  fixture f(settings);
  auto const port = f.listening();
  f.boss->kill(f.ids().front());
  f.expect<worker_exited>();
  CHECK_THROWS_AS(client(f, port), boost::system::system_error);
  CHECK(client(f, f.listening()).ask("") != "");
}

}  // namespace prong::test
