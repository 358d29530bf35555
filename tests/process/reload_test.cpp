// Replacing workers while they serve.
// SPDX-License-Identifier: BSL-1.0
#include "process/crowd.hpp"
#include "support/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace prong::test {
namespace {

void reload_under_load(fixture& f, crowd& all, int reloads) {
  for (int count = 0; count < reloads; ++count) {
    auto const before = all.answered;
    REQUIRE_FALSE(f.reload());
    // The new workers serve.
    f.run_until([&] { return all.answered > before; });
  }
  all.stop();
  f.run_until([&] { return all.finished(); });
}

}  // namespace

TEST_CASE("twenty reloads under load fail no request and refuse no connection",
          "[process][reload]") {
  fixture f(pool_of(2));
  crowd all(f, f.listening(2), 8);
  reload_under_load(f, all, 20);
  CHECK(all.refused == 0);
  CHECK(all.taken == 0);
  CHECK(all.forgotten == 0);
  CHECK(all.answered >= 20);
}

TEST_CASE("with shared scheduling a reload leaves the port open all the time",
          "[process][reload]") {
  auto settings = pool_of(2);
  settings.scheduling = scheduling::shared;
  fixture f(settings);
  crowd all(f, f.listening(2), 4);
  reload_under_load(f, all, 5);
  CHECK(all.refused == 0);
  CHECK(all.taken == 0);
  CHECK(all.forgotten == 0);
}

TEST_CASE("open connections are served to their end by workers that drain", "[process][reload]") {
  fixture f(pool_of(2));
  auto const port = f.listening(2);
  std::deque<client> open;
  std::vector<worker_id> old;
  for (int count = 0; count < 4; ++count) old.push_back(open.emplace_back(f, port).server());
  for (int count = 0; count < 3; ++count) REQUIRE_FALSE(f.reload());
  for (auto& each : open) CHECK(each.ask("hello") == "hello");
  open.clear();
  for (int count = 0; count < 6; ++count) {
    auto const gone = f.expect<worker_exited>();
    CHECK(gone.exited_after_disconnect);
    CHECK(gone.status == 0);
  }
}

TEST_CASE("a reload never has fewer than N listening workers", "[process][reload]") {
  constexpr std::size_t n = 3;
  fixture f(pool_of(n));
  f.listening(n);
  auto const old = f.ids();
  std::optional<error_code> result;
  f.boss->async_reload([&](error_code ec) { result = ec; });
  std::size_t fewest = n;
  f.run_until([&] {
    std::size_t listening = 0;
    for (auto const& each : f.boss->workers())
      listening += each.state == worker_state::online && !each.endpoints.empty();
    fewest = std::min(fewest, listening);
    return result.has_value();
  });
  CHECK_FALSE(*result);
  CHECK(fewest == n);
  for (auto const id : old) CHECK(f.expect_from<worker_exited>(id).exited_after_disconnect);
  CHECK(f.ids().size() == n);
}

WORKER_PROGRAM(dies_at_once) {
  return 3;
}

TEST_CASE("a replacement that dies ends the reload, and the old workers stay",
          "[process][reload]") {
  fixture f(pool_of(2));
  auto const port = f.listening(2);
  auto const old = f.ids();
  f.next_worker_runs("dies_at_once");
  CHECK(f.reload() == errc::replacement_failed);
  CHECK(f.expect<worker_exited>().status == 3);
  CHECK(f.ids() == old);
  client one(f, port);
  CHECK(std::count(old.begin(), old.end(), one.server()) == 1);
}

TEST_CASE("a replacement that never listens ends the reload, and the old workers stay",
          "[process][reload]") {
  auto settings = pool_of(2);
  settings.start_timeout = 2s;
  fixture f(settings);
  auto const port = f.listening(2);
  auto const old = f.ids();
  f.next_worker_runs("answers_messages");
  CHECK(f.reload() == errc::start_timeout);
  CHECK(f.expect<worker_exited>().error == errc::start_timeout);
  CHECK(f.ids() == old);
  CHECK(client(f, port).ask("hello") != "");
}

TEST_CASE("reloads that are asked for during a reload run once, after it", "[process][reload]") {
  fixture f(pool_of(1));
  f.listening();
  int done = 0;
  for (int count = 0; count < 3; ++count)
    f.boss->async_reload([&](error_code ec) {
      CHECK_FALSE(ec);
      ++done;
    });
  f.run_until([&] { return done == 3; });
  // The first, and one for the two others.
  f.listening(2);
  CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK(f.expect<worker_exited>().exited_after_disconnect);
  CHECK(f.ids() == std::vector{worker_id{3}});
}

TEST_CASE("a shutdown ends a reload", "[process][reload]") {
  fixture f(pool_of(2));
  f.listening(2);
  std::optional<error_code> reloaded;
  f.boss->async_reload([&](error_code ec) { reloaded = ec; });
  if (GENERATE(false, true))
    f.expect<worker_forked>([](auto& what) { return what.id > worker_id{2}; });
  CHECK_FALSE(f.shutdown());
  CHECK(reloaded == asio::error::operation_aborted);
  f.run_until([&] { return f.ran.has_value(); });
  CHECK_FALSE(*f.ran);
  CHECK(f.boss->workers().empty());
}

TEST_CASE("a worker that dies during a reload is replaced, and the reload goes on",
          "[process][reload]") {
  fixture f(pool_of(3));
  f.listening(3);
  auto const old = f.ids();
  std::optional<error_code> result;
  f.boss->async_reload([&](error_code ec) { result = ec; });
  f.boss->kill(old.back());
  f.run_until([&] { return result.has_value(); });
  CHECK_FALSE(*result);
  for (auto const id : old) f.expect_from<worker_exited>(id);
  f.run_until([&] { return f.boss->workers().size() == 3; });
}

namespace {

// What the file ends with that this process runs.
std::string own_version() {
  std::ifstream file(running_program(), std::ios::binary);
  file.seekg(-3, std::ios::end);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

WORKER_BODY(says_its_version)(worker& self)->awaitable<void> {
  std::string const version = own_version();
  serve_any_port(self);
  co_await tell(self, version);
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("a reload starts the program that lies at the path then", "[process][reload]") {
  temporary_folder const folder;
  auto const put = [&](std::string const& version) {
    auto const file = folder.path / version;
    std::filesystem::copy_file(running_program(), file);
    std::ofstream(file, std::ios::app | std::ios::binary) << version;
    replace_program(file, folder.path / "server");
  };
  put("old");
  auto settings = pool_of(1);
  settings.worker.executable = folder.path / "server";
  fixture f(settings, "says_its_version");
  CHECK(f.expect<worker_message>().message.topic == "old");
  put("new");
  CHECK_FALSE(f.reload());
  CHECK(f.expect<worker_message>().message.topic == "new");
}

}  // namespace prong::test
