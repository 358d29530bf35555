// Where and as whom the seam's spawn starts a worker, and what its standard streams are.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "support/temporary_folder.hpp"

#include <array>
#include <cstdio>
#include <filesystem>

namespace prong::test {

namespace fs = std::filesystem;

WORKER_PROGRAM(tells_its_folder) {
  return tell({fs::current_path().string()});
}

TEST_CASE("a worker begins where this process is, or where it is told to", "[os]") {
  asio::io_context io;
  temporary_folder const folder;
  auto what = worker_called("tells_its_folder");
  CHECK(fs::equivalent(told_by(io, what).at(0), fs::current_path()));
  what.working_directory = folder.path;
  CHECK(fs::equivalent(told_by(io, what).at(0), folder.path));
}

TEST_CASE("a folder that does not exist fails the start, and leaves nothing", "[os][C7]") {
  asio::io_context io;
  temporary_folder const folder;
  auto what = worker_called("tells_its_folder");
  told_by(io, what);
  auto const before = open_handles();
  what.working_directory = folder.path / "missing";
  what.input = stdio::null;
  what.output = what.error_output = stdio::pipe;
  error_code ec;
  CHECK_FALSE(os::spawn(io.get_executor(), what, ec));
  CHECK(ec);
  CHECK_FALSE(has_child());
  CHECK(open_handles() == before);
}

WORKER_PROGRAM(tells_what_its_streams_do) {
  bool const at_end = std::getchar() == EOF;
  bool const written = std::puts("lost") >= 0 && std::fflush(stdout) == 0;
  return tell({at_end ? "nothing to read" : "something to read", written ? "written" : "failed"});
}

TEST_CASE("without input there is nothing to read, and without output all can be written", "[os]") {
  asio::io_context io;
  auto what = worker_called("tells_what_its_streams_do");
  what.input = what.output = what.error_output = stdio::null;
  CHECK(told_by(io, what) == std::vector<std::string>{"nothing to read", "written"});
}

WORKER_PROGRAM(tells_who_runs_it) {
  return tell({who_runs_this()});
}

TEST_CASE("a worker runs as the user and group that it is told, and has no other groups", "[os]") {
  if (!may_change_user()) {
    WARN("not shown here: this process may not start one as another user");
    return;
  }
  asio::io_context io;
  supplementary_group const added;
  auto what = worker_called("tells_who_runs_it");
  CHECK(told_by(io, what).at(0) == "0 0 1");
  auto const number = std::to_string(another_user);
  what.group = another_user;
  CHECK(told_by(io, what).at(0) == "0 " + number + " 0");
  what.user = another_user;
  CHECK(told_by(io, what).at(0) == number + ' ' + number + " 0");
}

// Begins as a user without rights, and wants to start others as root.
WORKER_PROGRAM(starts_a_worker_of_root) {
  asio::io_context io;
  auto what = worker_called("tells_who_runs_it");
  what.user = 0;
  error_code ec;
  bool const refused = os::spawn(io.get_executor(), what, ec) == nullptr;
  bool const right = refused && ec == boost::system::errc::operation_not_permitted;
  return tell({right && !has_child() ? "refused" : "started: " + ec.message()});
}

TEST_CASE("who may not change the user cannot start a worker that does", "[os][C7]") {
  if (!may_change_user()) {
    WARN("not shown here: this process may not start one as another user");
    return;
  }
  asio::io_context io;
  auto what = worker_called("starts_a_worker_of_root");
  what.user = what.group = another_user;
  CHECK(told_by(io, what) == std::vector<std::string>{"refused"});
}

}  // namespace prong::test
