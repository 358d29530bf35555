// What options may be, and what the environment makes of them.
// SPDX-License-Identifier: BSL-1.0
#include "common/options.hpp"

#include "support/catch.hpp"
#include "support/environment.hpp"

#include <functional>

namespace prong {
namespace {

using namespace std::chrono_literals;

std::string invalid(std::function<void(options&)> const& change) {
  options settings;
  change(settings);
  return invalid_option(settings);
}

bool names(std::string const& text, std::string const& field) {
  INFO(text);
  return text.compare(0, field.size() + 1, field + ":") == 0;
}

TEST_CASE("what nobody changed can be meant", "[unit][options]") {
  CHECK(invalid_option({}).empty());
}

TEST_CASE("an option that cannot be meant is named", "[unit][options]") {
  CHECK(names(invalid([](options& o) { o.workers = 4'097; }), "workers"));
  CHECK(names(invalid([](options& o) { o.window = 1'025; }), "window"));
  CHECK(
      names(invalid([](options& o) { o.max_pending_connections = 0; }), "max_pending_connections"));
  CHECK(names(invalid([](options& o) { o.recall_after = duration{-1}; }), "recall_after"));
  CHECK(names(invalid([](options& o) { o.max_pending_connections = 1'000'001; }),
              "max_pending_connections"));
  CHECK(names(invalid([](options& o) { o.max_queued_events = 0; }), "max_queued_events"));
  CHECK(names(invalid([](options& o) { o.start_timeout = 0ms; }), "start_timeout"));
  CHECK(names(invalid([](options& o) { o.stop_timeout = -1ms; }), "stop_timeout"));
  CHECK(
      names(invalid([](options& o) { o.respawn.initial_delay = -1ms; }), "respawn.initial_delay"));
  CHECK(names(invalid([](options& o) { o.respawn.max_delay = 49ms; }), "respawn.max_delay"));
  CHECK(names(invalid([](options& o) { o.respawn.interval = 0ms; }), "respawn.interval"));
  CHECK(names(invalid([](options& o) { o.respawn.revive_after = 0ms; }), "respawn.revive_after"));
}

TEST_CASE("the bounds themselves can be meant", "[unit][options]") {
  CHECK(invalid([](options& o) { o.workers = 4'096; }).empty());
  CHECK(invalid([](options& o) { o.window = 1'024; }).empty());
  CHECK(invalid([](options& o) { o.window = 0; }).empty());
  CHECK(invalid([](options& o) { o.max_pending_connections = 1'000'000; }).empty());
  CHECK(invalid([](options& o) { o.max_pending_connections = 1; }).empty());
  CHECK(invalid([](options& o) { o.recall_after = duration{0}; }).empty());
  CHECK(invalid([](options& o) { o.max_queued_events = 1; }).empty());
  CHECK(invalid([](options& o) { o.stop_timeout = 0ms; }).empty());
  CHECK(invalid([](options& o) { o.respawn.initial_delay = o.respawn.max_delay; }).empty());
}

scheduling chosen(scheduling asked, std::string& problem) {
  options settings;
  settings.scheduling = asked;
  return scheduling_of(settings, problem);
}

TEST_CASE("without a word of the environment the option decides", "[unit][options]") {
  test::scoped_variable const none("PRONG_SCHED_POLICY", std::nullopt);
  std::string problem;
  for (auto const each : {scheduling::shared, scheduling::round_robin,
                          scheduling::least_connections, scheduling::sticky, scheduling::custom})
    CHECK(chosen(each, problem) == each);
  CHECK(chosen(scheduling::platform_default, problem) != scheduling::platform_default);
  CHECK(problem.empty());
}

TEST_CASE("the environment overrides the option", "[unit][options]") {
  std::pair<char const*, scheduling> const words[] = {
      {"rr", scheduling::round_robin},
      {"round_robin", scheduling::round_robin},
      {"none", scheduling::shared},
      {"shared", scheduling::shared},
      {"least_connections", scheduling::least_connections},
      {"sticky", scheduling::sticky},
  };
  for (auto const each :
       {scheduling::platform_default, scheduling::round_robin, scheduling::shared}) {
    std::string problem;
    for (auto const& [value, expected] : words) {
      test::scoped_variable const set("PRONG_SCHED_POLICY", value);
      CHECK(chosen(each, problem) == expected);
    }
    CHECK(problem.empty());
  }
}

TEST_CASE("an unknown word of the environment is named", "[unit][options]") {
  for (auto const* const value : {"RR", "robin", " rr", "platform_default"}) {
    test::scoped_variable const set("PRONG_SCHED_POLICY", value);
    std::string problem;
    chosen(scheduling::round_robin, problem);
    CHECK(names(problem, "PRONG_SCHED_POLICY"));
    CHECK(problem.find('\'' + std::string(value) + '\'') != std::string::npos);
    CHECK(problem.find("least_connections") != std::string::npos);
  }
}

TEST_CASE("the user's function is needed where it is to choose", "[unit][options]") {
  CHECK(names(invalid([](options& o) { o.scheduling = scheduling::custom; }), "choose_worker"));
  options settings;
  test::scoped_variable const set("PRONG_SCHED_POLICY", "custom");
  std::string problem;
  scheduling_of(settings, problem);
  CHECK(names(problem, "PRONG_SCHED_POLICY"));
  settings.choose_worker = [](auto const&, auto) { return std::nullopt; };
  problem.clear();
  CHECK(scheduling_of(settings, problem) == scheduling::custom);
  CHECK(problem.empty());
}

TEST_CASE("this machine can do at least one thing at a time", "[unit][options]") {
  CHECK(available_parallelism() >= 1);
}

}  // namespace
}  // namespace prong
