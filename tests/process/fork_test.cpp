// How a worker's process is started: what is said for all workers, and what for one.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/temporary_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace prong::test {
namespace {

namespace fs = std::filesystem;

std::string variable(char const* name) {
  char const* const value = std::getenv(name);
  return value != nullptr ? value : "(none)";
}

fork_options runs(std::string const& body) {
  fork_options settings;
  settings.environment.emplace_back(worker_program_variable, body);
  return settings;
}

/// Says one variable for its worker.
fork_options with_variable(std::string const& name, std::string const& value) {
  auto settings = runs("tells_how_it_was_started");
  settings.environment.emplace_back(name, value);
  return settings;
}

error_code refused(primary& boss, fork_options settings, std::string const& field) {
  error_code forked, set_up;
  CHECK(boss.fork(settings, forked) == worker_id{});
  boss.setup(settings, set_up);
  CHECK(forked == set_up);
  CHECK_THROWS_WITH(boss.fork(settings), Catch::Contains(field + ":"));
  CHECK_THROWS_WITH(boss.setup(settings), Catch::Contains(field + ":"));
  return forked;
}

}  // namespace

// "<variable one> <variable two> <arguments>"
WORKER_BODY(tells_how_it_was_started)(worker& self)->awaitable<void> {
  auto text = variable("PRONG_TEST_ONE") + ' ' + variable("PRONG_TEST_TWO");
  for (auto const& each : worker_arguments()) text += ' ' + each;
  co_await tell(self, text);
}

WORKER_BODY(tells_its_folder)(worker& self)->awaitable<void> {
  auto const folder = fs::current_path().string();
  co_await tell(self, folder);
}

WORKER_BODY(tells_of_its_window)(worker& self)->awaitable<void> {
  std::string const text = has_console_window() ? "a window" : "no window";
  co_await tell(self, text);
}

// --- For one worker -----------------------------------------------------------------------------

TEST_CASE("fork adds and overrides variables", "[process][fork]") {
  set_variable("PRONG_TEST_ONE", "of-the-primary");
  set_variable("PRONG_TEST_TWO", "of-the-primary");
  options settings;
  settings.worker.environment = {{"PRONG_TEST_TWO", "of-all"}};
  fixture f(settings, "tells_how_it_was_started");
  CHECK(f.expect_message(f.boss->fork()) == "of-the-primary of-all");
  auto const id = f.boss->fork(with_variable("PRONG_TEST_TWO", "own"));
  CHECK(f.expect_message(id) == "of-the-primary own");
  // Who it is, nobody else says.
  auto const next = f.boss->fork(with_variable("PRONG_WORKER_ID", "77"));
  CHECK(f.expect_message(next) == "of-the-primary of-all");
  remove_variable("PRONG_TEST_ONE");
  remove_variable("PRONG_TEST_TWO");
}

TEST_CASE("a worker has arguments of its own", "[process][fork]") {
  options settings;
  settings.worker.arguments = {"for", "all"};
  fixture f(settings, "tells_how_it_was_started");
  fork_options own;
  own.arguments = {"its", "own"};
  CHECK(f.expect_message(f.boss->fork(own)) == "(none) (none) its own");
  CHECK(f.expect_message(f.boss->fork()) == "(none) (none) for all");
  own.arguments.emplace();
  CHECK(f.expect_message(f.boss->fork(own)) == "(none) (none)");
}

TEST_CASE("a worker has a program of its own", "[process][fork]") {
  temporary_folder const folder;
  auto const other = folder.path / running_program().filename();
  fs::copy_file(running_program(), other);
  options settings;
  settings.worker.executable = folder.path / "missing";
  fixture f(settings, "tells_how_it_was_started");
  fork_options own;
  own.executable = other;
  CHECK(f.expect_message(f.boss->fork(own)) == "(none) (none)");
  auto const id = f.boss->fork();
  CHECK(f.expect_from<worker_exited>(id).error == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("a worker begins in a folder of its own", "[process][fork]") {
  temporary_folder const folder;
  fs::create_directory(folder.path / "below");
  options settings;
  settings.worker.working_directory = folder.path;
  fixture f(settings, "tells_its_folder");
  CHECK(fs::equivalent(f.expect_message(f.boss->fork()), folder.path));
  fork_options own;
  own.working_directory = fs::proximate(folder.path / "below");
  CHECK(fs::equivalent(f.expect_message(f.boss->fork(own)), folder.path / "below"));
}

TEST_CASE("a relative program is found from where the primary is, wherever the worker begins",
          "[process][fork]") {
  temporary_folder const folder;
  options settings;
  settings.worker.executable = fs::proximate(fs::canonical(running_program()));
  settings.worker.working_directory = folder.path;
  fixture f(settings, "tells_its_folder");
  CHECK(fs::equivalent(f.expect_message(f.boss->fork()), folder.path));
}

TEST_CASE("a worker with a hidden window shows none", "[process][fork]") {
  options settings;
  settings.worker.hide_window = true;
  fixture f(settings, "tells_of_its_window");
  CHECK(f.expect_message(f.boss->fork()) == "no window");
}

TEST_CASE("a replacement has what its predecessor had for itself", "[process][fork][reload]") {
  fixture f({});
  auto own = runs("echo");
  own.output = stdio::pipe;
  f.boss->fork(own);
  f.listening();
  own = runs("prints_and_serves");
  own.error_output = stdio::pipe;
  f.boss->setup(own);
  auto const id = f.boss->fork();
  CHECK(f.expect_from<worker_output>(id).line == "printed");
  CHECK_FALSE(f.reload());
  f.expect_from<worker_exited>(id);
  auto const successor = f.ids().back();
  CHECK(f.expect_from<worker_output>(successor).line == "printed");
}

WORKER_BODY(prints_and_serves)(worker& self)->awaitable<void> {
  std::fputs("printed\n", stderr);
  std::fflush(stderr);
  co_await serve(acceptor(self, any_port()), self.id());
}

// --- What cannot be -----------------------------------------------------------------------------

TEST_CASE("fork and setup refuse what cannot be meant, and name it", "[process][fork]") {
  fixture f({});
  error_code const invalid = errc::invalid_option;
  fork_options settings;
  settings.input = stdio::pipe;
  CHECK(refused(*f.boss, settings, "input") == invalid);
  settings = {};
  settings.environment = {{"A=B", "x"}};
  CHECK(refused(*f.boss, settings, "environment") == invalid);
  settings = {};
  settings.arguments = {std::string("a\0b", 3)};
  CHECK(refused(*f.boss, settings, "arguments") == invalid);
  CHECK(f.ids().empty());
  CHECK_FALSE(f.boss->settings().worker.input);

  options whole;
  whole.worker.input = stdio::pipe;
  CHECK_THROWS_WITH(primary(f.io, whole), Catch::Contains("worker.input:"));
}

TEST_CASE("another user is refused at once where there are none", "[process][fork]") {
  if (may_change_user()) return;
  fixture f({});
  fork_options settings;
  settings.user = another_user;
  // Where there are users, only the system knows who may become which.
  error_code ec;
  f.boss->fork(settings, ec);
  if (!ec) {
    CHECK(f.expect<worker_exited>().error == boost::system::errc::operation_not_permitted);
    return;
  }
  CHECK(refused(*f.boss, settings, "user") == errc::not_supported);
}

TEST_CASE("a worker runs as another user", "[process][fork]") {
  if (!may_change_user()) {
    WARN("not shown here: this process may not start one as another user");
    return;
  }
  options settings;
  settings.worker.user = settings.worker.group = another_user;
  fixture f(settings, "tells_who_runs_it");
  auto const number = std::to_string(another_user);
  CHECK(f.expect_message(f.boss->fork()) == number + ' ' + number + " 0");
}

WORKER_BODY(tells_who_runs_it)(worker& self)->awaitable<void> {
  auto const text = who_runs_this();
  co_await tell(self, text);
}

TEST_CASE("a failed start is an exit, says where it failed, and its id is not used again",
          "[process][fork]") {
  temporary_folder const folder;
  std::string log;
  options settings;
  settings.worker.output = stdio::pipe;
  settings.log = [&](log_level, std::string_view text) { log += text; };
  fixture f(settings, "tells_its_folder");
  fork_options own;
  own.working_directory = folder.path / "missing";
  std::set<worker_id> seen;
  for (int count = 0; count < 3; ++count) {
    auto const failed = f.boss->fork(own);
    auto const gone = f.expect_from<worker_exited>(failed);
    CHECK(gone.process == 0);
    CHECK(gone.error);
    CHECK(log.find((folder.path / "missing").string()) != std::string::npos);
    CHECK(seen.insert(failed).second);
    auto const started = f.boss->fork();
    f.boss->kill(started);
    f.expect_from<worker_exited>(started);
    CHECK(seen.insert(started).second);
    CHECK(*seen.rbegin() == started);
  }
}

}  // namespace prong::test
