// The seam's spawn: what a worker gets, and what happens when it cannot be started.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace prong::test {
namespace {

namespace fs = std::filesystem;

std::string variable(char const* name) {
  char const* const value = std::getenv(name);
  return value != nullptr ? value : "(none)";
}

error_code failure_of(asio::io_context& io, fs::path const& executable) {
  os::program what;
  what.executable = executable;
  error_code ec;
  CHECK_FALSE(os::spawn(io.get_executor(), what, ec));
  return ec;
}

}  // namespace

TEST_CASE("a program that cannot be executed fails in the call and leaves no process", "[os][C7]") {
  asio::io_context io;
  failure_of(io, "");  // Asio opens some handles of its own at first use
  auto const before = open_handles().size();
  auto const plain = fs::temp_directory_path() / "prong_test_not_executable";
  std::ofstream(plain) << "no program\n";
  CHECK(failure_of(io, fs::temp_directory_path() / "prong_test_missing") ==
        boost::system::errc::no_such_file_or_directory);
  CHECK(failure_of(io, plain));
  CHECK(failure_of(io, fs::temp_directory_path()));
  CHECK(failure_of(io, ""));
  fs::remove(plain);
  CHECK_FALSE(has_child());
  CHECK(open_handles().size() == before);
}

TEST_CASE("when no handle is free, spawn says so", "[os][C7]") {
  asio::io_context io;
  failure_of(io, "");  // Asio opens some handles of its own at first use
  auto const before = open_handles().size();
  {
    no_free_handles const limit;
    if (!limit) {
      WARN("not shown here: this system has no limit of handles");
      return;
    }
    error_code ec;
    CHECK_FALSE(os::spawn(io.get_executor(), worker_called("tells_arguments"), ec));
    CHECK(ec == boost::system::errc::too_many_files_open);
  }
  CHECK_FALSE(has_child());
  CHECK(open_handles().size() == before);
}

TEST_CASE("what cannot be said in an argument or a variable is refused", "[os][C7]") {
  asio::io_context io;
  std::string const broken("a\0b", 3);
  auto const refused = [&](os::program const& what) {
    error_code ec;
    return os::spawn(io.get_executor(), what, ec) == nullptr && ec;
  };
  CHECK(refused(worker_called("tells_arguments", {broken})));
  CHECK(refused(worker_called("tells_arguments", {}, {{"PRONG_TEST", broken}})));
  CHECK(refused(worker_called("tells_arguments", {}, {{"PRONG=TEST", "x"}})));
  CHECK(refused(worker_called("tells_arguments", {}, {{"", "x"}})));
}

WORKER_PROGRAM(tells_arguments) {
  return tell(worker_arguments());
}

TEST_CASE("arguments arrive as they were given", "[os]") {
  asio::io_context io;
  std::vector<std::string> const given = {"plain",
                                          "",
                                          "two words",
                                          " ",
                                          "\"quoted\"",
                                          "tr\"ailing\\",
                                          "back\\\\slash\\",
                                          "$HOME",
                                          "*",
                                          "%PATH%",
                                          "\xc3\xa4\xe2\x82\xac",
                                          "--x=y",
                                          "a\nb",
                                          std::string(10000, 'z')};
  CHECK(told_by(io, worker_called("tells_arguments", given)) == given);
}

WORKER_PROGRAM(tells_environment) {
  return tell(
      {variable("PRONG_TEST_ONE"), variable("PRONG_TEST_TWO"), variable(os::worker_id_variable)});
}

TEST_CASE("a worker has this process's environment, and what is added to it", "[os]") {
  asio::io_context io;
  set_variable("PRONG_TEST_ONE", "of the primary");
  set_variable("PRONG_TEST_TWO", "of the primary");
  set_variable(os::worker_id_variable, "of the primary");
  auto const told =
      told_by(io, worker_called("tells_environment", {}, {{"PRONG_TEST_TWO", "a = b"}}));
  CHECK(told == std::vector<std::string>{"of the primary", "a = b", "1"});
}

WORKER_PROGRAM(tells_environment_after_inherited) {
  worker_side self;
  auto const seen = variable(os::worker_id_variable) + variable(os::channel_variable);
  return send(self.io, self.link, frame(0, as_bytes(seen))) ? 1 : 0;
}

TEST_CASE("taking the channel removes prong's variables", "[os]") {
  asio::io_context io;
  CHECK(told_by(io, worker_called("tells_environment_after_inherited")) ==
        std::vector<std::string>{"(none)(none)"});
}

TEST_CASE("a process that no primary started has no channel", "[os]") {
  asio::io_context io;
  error_code ec;
  os::channel::inherited(io.get_executor(), ec);
  CHECK(ec == errc::not_a_worker);
  for (auto const* value : {"", "x", "3x", " 3", "-1", "0", "77777", "99999999999999999999"}) {
    set_variable(os::channel_variable, value);
    os::channel::inherited(io.get_executor(), ec);
    INFO(value);
    CHECK(ec == errc::not_a_worker);
    CHECK(variable(os::channel_variable) == "(none)");
  }
}

WORKER_PROGRAM(lists_its_handles) {
  bool const as_expected = open_handles() == expected_worker_handles();
  return tell({as_expected ? "as expected" : "others as well"});
}

TEST_CASE("a worker has the standard handles and its channel, and no others", "[os][C5]") {
  asio::io_context io;
  connection const pair(io);
  auto* const inheritable = std::fopen(worker_called("").executable.string().c_str(), "rb");
  auto const other = start(io, "lives_with_its_channel");
  CHECK(told_by(io, worker_called("lists_its_handles")) == std::vector<std::string>{"as expected"});
  std::fclose(inheritable);
}

TEST_CASE("a worker with pipes has no other handle of them", "[os][C5]") {
  asio::io_context io;
  auto other = worker_called("lives_with_its_channel");
  other.output = other.error_output = stdio::pipe;
  auto const holds = start(io, other);
  auto const kind = GENERATE(stdio::null, stdio::pipe);
  auto what = worker_called("lists_its_handles");
  what.input = stdio::null;
  what.output = what.error_output = kind;
  CHECK(told_by(io, what) == std::vector<std::string>{"as expected"});
}

TEST_CASE("this program can be started by its path", "[os]") {
  error_code ec;
  auto const self = os::this_program(ec);
  REQUIRE_FALSE(ec);
  CHECK(self.executable.is_absolute());
  CHECK(fs::exists(self.executable));
  CHECK(os::this_process() != 0);
}

TEST_CASE("at least one worker can run here, at most one a hardware thread", "[os]") {
  CHECK(os::available_parallelism() >= 1);
  CHECK(os::available_parallelism() <= std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace prong::test
