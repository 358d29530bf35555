// What workers print, as the primary gets it.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"
#include "support/temporary_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace prong::test {
namespace {

options silent() {
  options settings;
  settings.worker.output = settings.worker.error_output = stdio::pipe;
  return settings;
}

constexpr unsigned many = 5'000;

std::string line_of(unsigned number) {
  return std::to_string(number) + ' ' + std::string(100, 'x');
}

}  // namespace

WORKER_PROGRAM(prints) {
  std::printf("I am %s\nsecond\n\n", std::getenv("PRONG_WORKER_ID"));
  std::fputs("an error\nand no end", stderr);
  return 0;
}

TEST_CASE("what workers print comes line by line, with their ids", "[process][output]") {
  fixture f(silent(), "prints");
  std::map<worker_id, std::vector<std::string>> output, errors;
  std::vector<worker_id> const ids{f.boss->fork(), f.boss->fork()};
  for (std::size_t gone = 0; gone < ids.size();) {
    auto const next = f.next_event();
    if (auto const* const line = std::get_if<worker_output>(&next))
      (line->from == output_stream::output ? output : errors)[line->id].push_back(line->line);
    if (auto const* const exited = std::get_if<worker_exited>(&next)) {
      ++gone;
      // Nothing comes after it, because all has come before it.
      auto const id = exited->id;
      CHECK(output[id] == std::vector<std::string>{
                              "I am " + std::to_string(static_cast<unsigned>(id)), "second", ""});
      CHECK(errors[id] == std::vector<std::string>{"an error", "and no end"});
    }
  }
}

TEST_CASE("each of the two streams can be a pipe for itself", "[process][output]") {
  fixture f({}, "prints");
  fork_options own;
  own.output = stdio::null;
  own.error_output = stdio::pipe;
  auto const id = f.boss->fork(own);
  CHECK(f.expect<worker_output>().line == "an error");
  CHECK(f.expect<worker_output>().line == "and no end");
  f.expect_from<worker_exited>(id);
  CHECK_FALSE(f.has_seen<worker_output>());
}

WORKER_PROGRAM(prints_much) {
  for (unsigned number = 0; number < many; ++number) std::puts(line_of(number).c_str());
  return 0;
}

TEST_CASE("of a worker that prints more than may wait nothing is lost", "[process][output][I7]") {
  auto settings = silent();
  settings.max_queued_events = 8;  // lines are not among them
  fixture f(settings, "prints_much");
  auto const id = f.boss->fork();
  // It serves while the other one has to wait.
  auto const other = f.fork("answers_messages");
  CHECK(f.ask(other, "hello") == "hello");
  for (unsigned number = 0; number < many; ++number)
    REQUIRE(f.expect<worker_output>().line == line_of(number));
  f.expect_from<worker_exited>(id);
  CHECK_FALSE(f.has_seen<worker_output>());
}

TEST_CASE("a worker that is busy with printing can be ended", "[process][output]") {
  fixture f(silent());
  auto const id = f.fork("prints_for_ever");
  f.expect_from<worker_output>(id);
  f.boss->kill(id);
  CHECK(f.expect_from<worker_exited>(id).signal != 0);
}

WORKER_PROGRAM(prints_for_ever) {
  for (;;) std::puts("again");
}

TEST_CASE("somebody whom a worker started does not keep its exit back", "[process][output]") {
  fixture f(silent());
  auto const id = f.fork("prints_and_leaves_a_grandchild");
  CHECK(f.expect_from<worker_output>(id).line == "printed");
  CHECK(f.expect_from<worker_exited>(id).status == 0);
}

WORKER_PROGRAM(prints_and_leaves_a_grandchild) {
  std::puts("printed");
  std::fflush(stdout);
  hold_channel_in_grandchild();
  return 0;
}

TEST_CASE("a primary that is destroyed leaves nothing of its workers' output",
          "[process][output]") {
  fixture f(silent());
  f.expect_from<worker_output>(f.fork("prints_for_ever"));
  f.boss.reset();
}

// --- Inherited ----------------------------------------------------------------------------------

TEST_CASE("a worker prints where its primary does", "[process][output][prints]") {
  fixture f({}, "prints");
  f.expect_from<worker_exited>(f.boss->fork());
  CHECK_FALSE(f.has_seen<worker_output>());
}

// Runs the test above in a process of its own.
TEST_CASE("what a worker prints is in its primary's output", "[process][output]") {
  temporary_folder const folder;
  auto const file = folder.path / "output";
  auto const command = '"' + std::filesystem::canonical(running_program()).string() +
                       "\" \"[prints]\" > \"" + file.string() + "\" 2>&1";
  CHECK(run_in_shell(command) == 0);
  std::ifstream from(file);
  std::string const text{std::istreambuf_iterator<char>(from), {}};
  CHECK(text.find("I am 1") != std::string::npos);
  CHECK(text.find("an error") != std::string::npos);
}

}  // namespace prong::test
