// What may be said about how a worker is started, and what several sayings come to.
// SPDX-License-Identifier: BSL-1.0
#include "common/fork_options.hpp"

#include "support/catch.hpp"

#include <prong/error.hpp>

#include <functional>

namespace prong {
namespace {

namespace fs = std::filesystem;
using variables = std::vector<std::pair<std::string, std::string>>;

std::string const broken("a\0b", 3);

error_code refused(std::string const& field, std::function<void(fork_options&)> const& change) {
  fork_options given;
  change(given);
  std::string why;
  auto const ec = prepare(given, why);
  INFO(field << " is expected in: " << why);
  CHECK(why.compare(0, field.size() + 1, field + ":") == 0);
  return ec;
}

fork_options with_variables(variables all) {
  fork_options result;
  result.environment = std::move(all);
  return result;
}

// Every field is given.
fork_options all_of(std::string const& name, unsigned number, stdio kind, bool flag) {
  fork_options result;
  result.executable = name;
  result.arguments = {name};
  result.environment = {{name, name}};
  result.working_directory = name;
  result.input = result.output = result.error_output = kind;
  result.user = result.group = number;
  result.hide_window = flag;
  return result;
}

void check_same(fork_options const& left, fork_options const& right) {
  CHECK(left.executable == right.executable);
  CHECK(left.arguments == right.arguments);
  CHECK(left.environment == right.environment);
  CHECK(left.working_directory == right.working_directory);
  CHECK(left.input == right.input);
  CHECK(left.output == right.output);
  CHECK(left.error_output == right.error_output);
  CHECK(left.user == right.user);
  CHECK(left.group == right.group);
  CHECK(left.hide_window == right.hide_window);
}

// --- What may be said ---------------------------------------------------------------------------

TEST_CASE("to say nothing of how a worker is started is right", "[unit][fork]") {
  fork_options nothing;
  std::string why;
  CHECK_FALSE(prepare(nothing, why));
  CHECK(why.empty());
  CHECK(nothing.executable.empty());
  CHECK(nothing.working_directory.empty());
}

TEST_CASE("a field that cannot be meant is named", "[unit][fork]") {
  error_code const invalid = errc::invalid_option;
  CHECK(refused("executable", [](auto& o) { o.executable = broken; }) == invalid);
  CHECK(refused("arguments", [](auto& o) { o.arguments = {"x", broken}; }) == invalid);
  CHECK(refused("environment", [](auto& o) { o.environment = {{"", "x"}}; }) == invalid);
  CHECK(refused("environment", [](auto& o) { o.environment = {{"A=B", "x"}}; }) == invalid);
  CHECK(refused("environment", [](auto& o) { o.environment = {{broken, "x"}}; }) == invalid);
  CHECK(refused("environment", [](auto& o) { o.environment = {{"A", broken}}; }) == invalid);
  CHECK(refused("working_directory", [](auto& o) { o.working_directory = broken; }) == invalid);
  CHECK(refused("input", [](auto& o) { o.input = stdio::pipe; }) == invalid);
}

TEST_CASE("another user or group is refused where the system has none", "[unit][fork]") {
  if (os::has_users()) {
    auto given = all_of("x", 1, stdio::null, true);
    std::string why;
    CHECK_FALSE(prepare(given, why));
    return;
  }
  CHECK(refused("user", [](auto& o) { o.user = 1; }) == errc::not_supported);
  CHECK(refused("group", [](auto& o) { o.group = 1; }) == errc::not_supported);
}

TEST_CASE("a relative path is meant from where the primary is now", "[unit][fork]") {
  fork_options given;
  given.executable = "server";
  given.working_directory = fs::path("data") / "one";
  std::string why;
  CHECK_FALSE(prepare(given, why));
  CHECK(given.executable == fs::current_path() / "server");
  CHECK(given.working_directory == fs::current_path() / "data" / "one");
}

// --- What several sayings come to ---------------------------------------------------------------

TEST_CASE("what is given wins over what was given before, field by field", "[unit][fork]") {
  auto const before = all_of("before", 1, stdio::null, false);
  check_same(merge(before, {}), before);
  check_same(merge({}, before), before);
  auto changes = all_of("after", 2, stdio::inherit, true);
  changes.environment = {{"before", "x"}};
  check_same(merge(before, changes), changes);
}

TEST_CASE("no arguments are something else than no word about arguments", "[unit][fork]") {
  auto const before = all_of("before", 1, stdio::null, false);
  fork_options changes;
  changes.arguments.emplace();
  CHECK(merge(before, changes).arguments == std::vector<std::string>{});
}

TEST_CASE("of variables each name is given for itself", "[unit][fork]") {
  auto const merged = merge(with_variables({{"A", "1"}, {"B", "1"}, {"C", "1"}}),
                            with_variables({{"B", "2"}, {"D", "2"}}));
  CHECK(merged.environment == variables{{"A", "1"}, {"C", "1"}, {"B", "2"}, {"D", "2"}});
}

TEST_CASE("the later of two values for one variable wins", "[unit][fork]") {
  auto const merged = merge({}, with_variables({{"A", "1"}, {"B", "1"}, {"A", "2"}}));
  CHECK(merged.environment == variables{{"B", "1"}, {"A", "2"}});
}

// --- The program --------------------------------------------------------------------------------

os::program this_program() {
  os::program result;
  result.executable = "this";
  result.arguments = {"of this"};
  return result;
}

TEST_CASE("without a word a worker is this program, in this place", "[unit][fork]") {
  auto const what = program_from(this_program(), {});
  CHECK(what.executable == "this");
  CHECK(what.arguments == std::vector<std::string>{"of this"});
  CHECK(what.environment.empty());
  CHECK(what.working_directory.empty());
  CHECK(what.input == stdio::inherit);
  CHECK(what.output == stdio::inherit);
  CHECK(what.error_output == stdio::inherit);
  CHECK_FALSE(what.user);
  CHECK_FALSE(what.group);
  CHECK_FALSE(what.hide_window);
}

TEST_CASE("every field reaches the program", "[unit][fork]") {
  auto settings = all_of("other", 7, stdio::null, true);
  settings.output = stdio::pipe;
  auto const what = program_from(this_program(), settings);
  CHECK(what.executable == "other");
  CHECK(what.arguments == std::vector<std::string>{"other"});
  CHECK(what.environment == variables{{"other", "other"}});
  CHECK(what.working_directory == "other");
  CHECK(what.input == stdio::null);
  CHECK(what.output == stdio::pipe);
  CHECK(what.error_output == stdio::null);
  CHECK(what.user == 7u);
  CHECK(what.group == 7u);
  CHECK(what.hide_window);
}

TEST_CASE("a program is described with what may keep it from starting", "[unit][fork]") {
  CHECK(describe(this_program()) == "this");
  CHECK(describe(program_from({}, all_of("x", 7, stdio::null, true))) ==
        "x in x as user 7 with group 7");
}

}  // namespace
}  // namespace prong
