// Workers that listen on paths, and on sockets that systemd gave to the primary.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/environment.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <filesystem>

namespace prong::test {
namespace {

namespace fs = std::filesystem;
using local = asio::local::stream_protocol;

awaitable<void> greet(local::socket connection, worker_id by) {
  std::string const text = std::to_string(static_cast<unsigned>(by));
  co_await asio::async_write(connection, asio::buffer(text), use_awaitable);
}

awaitable<void> serve_local(local_acceptor from, worker_id by) {
  for (;;) {
    auto [ec, connection] = co_await from.async_accept(asio::as_tuple(use_awaitable));
    if (ec) co_return;
    auto const executor = connection.get_executor();
    asio::co_spawn(executor, greet(std::move(connection), by), detached);
  }
}

/// Which worker answers on the path.
std::string served_at(fixture& f, std::string const& path) {
  local::socket connection(f.io);
  connection.connect(path);
  std::string text(16, ' ');
  std::size_t size = 0;
  f.complete([&](auto done) {
    connection.async_read_some(asio::buffer(text), [&size, done](error_code ec, std::size_t read) {
      size = read;
      done(ec);
    });
  });
  return text.substr(0, size);
}

bool answers(fixture& f, std::string const& path, worker_id id) {
  return served_at(f, path) == std::to_string(static_cast<unsigned>(id));
}

}  // namespace

// Listens on the path of each message, with the permissions that its topic says in octal.
WORKER_BODY(listens_on_paths)(worker& self)->awaitable<void> {
  for (;;) {
    auto const what = co_await self.async_receive(use_awaitable);
    listen_options how;
    if (what.topic != "listen") how.mode = std::stoul(what.topic, nullptr, 8);
    local_acceptor made(self, what.body, how);
    error_code ec;
    co_await made.async_listen(asio::redirect_error(use_awaitable, ec));
    std::string answer = made.failure();
    if (!ec) answer = made.local_endpoint().path();
    co_await tell(self, answer);
    if (!ec) asio::co_spawn(self.get_executor(), serve_local(std::move(made), self.id()), detached);
  }
}

TEST_CASE("a local acceptor serves on a path and removes it at the end", "[process][local]") {
  options settings;
  settings.scheduling = GENERATE(scheduling::round_robin, scheduling::shared);
  temporary_folder folder;
  auto const path = (folder.path / "here").string();
  {
    fixture f(settings);
    auto const first = f.fork("listens_on_paths");
    auto const second = f.fork("listens_on_paths");
    CHECK(f.ask(first, "listen", path) == path);
    CHECK(f.ask(second, "listen", path) == path);
    auto const heard = f.expect<worker_listening>();
    CHECK(heard.endpoint.transport == transport::local);
    CHECK(heard.endpoint.path == path);
    auto const by = served_at(f, path);
    CHECK((by == "1" || by == "2"));
    CHECK_FALSE(f.disconnect(first));
    CHECK(answers(f, path, second));
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a path that a process listens on is in use, a stale one is replaced",
          "[process][local]") {
  temporary_folder folder;
  auto const path = (folder.path / "taken").string();
  fixture f({});
  auto const id = f.fork("listens_on_paths");
  {
    local::acceptor const other(f.io, path);
    CHECK(f.ask(id, "listen", path).starts_with(path + ": "));
    auto const failed = f.expect<worker_listen_failed>();
    CHECK(failed.error == asio::error::address_in_use);
    CHECK(failed.endpoint.path == path);
  }
  REQUIRE(fs::exists(path));  // Asio leaves it
  CHECK(f.ask(id, "listen", path) == path);
  CHECK(answers(f, path, id));
}

TEST_CASE("a relative path is the worker's", "[process][local]") {
  temporary_folder folder;
  fork_options settings;
  settings.environment.emplace_back(worker_program_variable, "listens_on_paths");
  settings.working_directory = folder.path;
  fixture f({});
  auto const id = f.boss->fork(settings);
  auto const path = (folder.path / "here").string();
  CHECK(f.ask(id, "listen", "here") == path);
  CHECK(answers(f, path, id));
}

TEST_CASE("an abstract name needs no file", "[process][local]") {
  fixture f({});
  auto const id = f.fork("listens_on_paths");
  auto const name = std::string(1, '\0') + "prong " + std::to_string(this_process());
  auto const answer = f.ask(id, "listen", name);
  if (answer != name) {
    WARN("there are no abstract names here: " + answer);
    return;
  }
  CHECK(answers(f, name, id));
  CHECK(f.expect<worker_listening>().endpoint.path == name);
}

TEST_CASE("a local socket's file has the mode that was asked for", "[process][local]") {
  temporary_folder folder;
  auto const path = (folder.path / "here").string();
  fixture f({});
  f.ask(f.fork("listens_on_paths"), "0601", path);
  CHECK(fs::status(path).permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write | fs::perms::others_exec));
}

WORKER_BODY(listens_by_name)(worker& self)->awaitable<void> {
  co_await serve(acceptor(self, primary_socket("web")), self.id());
}

TEST_CASE("a socket that systemd opened is found by its name", "[process][local]") {
  fixture f({});
  tcp::acceptor given(f.io, any_port());
  std::string names;
  for (int other = 3; other < given.native_handle(); ++other) names += "other:";
  scoped_variable const pid("LISTEN_PID", std::to_string(this_process()));
  scoped_variable const count("LISTEN_FDS", std::to_string(std::ranges::count(names, ':') + 1));
  scoped_variable const text("LISTEN_FDNAMES", names + "web");
  for (int forked = 0; forked < 2; ++forked) f.fork("listens_by_name");
  CHECK(f.listening(2) == given.local_endpoint());
  auto const by = client(f, given.local_endpoint()).server();
  CHECK(std::ranges::count(f.ids(), by) == 1);
}

TEST_CASE("a name that systemd gave to nothing is an error that says so", "[process][local]") {
  fixture f({});
  auto const id = f.fork("listens_by_name");
  auto const failed = f.expect<worker_listen_failed>();
  CHECK(failed.id == id);
  CHECK(failed.from == primary_socket("web"));
  CHECK(describe(failed).starts_with("the primary's socket 'web': "));
}

}  // namespace prong::test
