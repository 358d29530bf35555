// primary::setup, as cluster.setupPrimary: how workers are started from then on.
// SPDX-License-Identifier: BSL-1.0
#include "process/serving.hpp"

#include <filesystem>

namespace prong::test {
namespace {

fork_options with_arguments(std::vector<std::string> arguments) {
  fork_options changes;
  changes.arguments = std::move(arguments);
  return changes;
}

}  // namespace

WORKER_BODY(tells_its_arguments)(worker& self)->awaitable<void> {
  std::string text;
  for (auto const& each : worker_arguments()) text += each + ' ';
  co_await tell(self, text);
}

TEST_CASE("before any setup the settings are those of the constructor", "[process][setup]") {
  options settings;
  settings.worker.arguments = {"one"};
  fixture f(settings);
  CHECK(f.boss->settings().worker.arguments == std::vector<std::string>{"one"});
  CHECK(f.boss->settings().worker.executable.empty());
  CHECK_FALSE(f.boss->settings().worker.output);
}

TEST_CASE("setups add up: what one does not say stays", "[process][setup]") {
  fixture f({});
  f.boss->setup(with_arguments({"one"}));
  fork_options changes;
  changes.output = stdio::pipe;
  changes.environment = {{"A", "1"}, {"B", "1"}};
  f.boss->setup(changes);
  changes = {};
  changes.working_directory = "here";
  changes.environment = {{"B", "2"}};
  f.boss->setup(changes);
  auto const& now = f.boss->settings().worker;
  CHECK(now.arguments == std::vector<std::string>{"one"});
  CHECK(now.output == stdio::pipe);
  CHECK(now.working_directory == std::filesystem::current_path() / "here");
  CHECK(now.environment ==
        std::vector<std::pair<std::string, std::string>>{{"A", "1"}, {"B", "2"}});
}

TEST_CASE("each setup is an event, before those of the workers that it is for",
          "[process][setup]") {
  fixture f({});
  f.boss->setup({});
  f.boss->setup(with_arguments({}));
  auto const id = f.fork("answers_messages");
  CHECK(std::holds_alternative<primary_setup>(f.next_event()));
  CHECK(std::holds_alternative<primary_setup>(f.next_event()));
  // A fork is none, as it would be in Node.
  auto const next = f.next_event();
  REQUIRE(std::holds_alternative<worker_forked>(next));
  CHECK(std::get<worker_forked>(next).id == id);
}

TEST_CASE("several setups at different times are each for the workers after it",
          "[process][setup]") {
  fixture f({}, "tells_its_arguments");
  for (std::string const text : {"one", "two", "three"}) {
    f.boss->setup(with_arguments({text}));
    f.expect<primary_setup>();
    CHECK(f.expect_message(f.boss->fork()) == text + ' ');
    CHECK(f.expect_message(f.boss->fork()) == text + ' ');
  }
}

TEST_CASE("without a word workers have the arguments of this process", "[process][setup]") {
  fork_options outer;
  outer.arguments = {"of", "the primary"};
  outer.environment = {{worker_program_variable, "is_a_primary_without_options"}};
  fixture f({});
  CHECK(f.expect_message(f.boss->fork(outer)) == "of the primary ");
}

// Its worker is started with the same arguments, and tells them.
WORKER_BODY(is_a_primary_without_options)(worker& self)->awaitable<void> {
  primary boss(self.get_executor());
  fork_options own;
  own.environment = {{worker_program_variable, "tells_its_arguments"}};
  boss.fork(own);
  for (;;) {
    auto next = co_await boss.async_next_event(use_awaitable);
    auto const* const text = std::get_if<worker_message>(&next);
    if (text == nullptr) continue;
    co_await tell(self, text->message.topic);
    co_return;
  }
}

TEST_CASE("a pool's new workers and a reload's replacements are started as the last setup says",
          "[process][setup][reload]") {
  auto settings = pool_of(1);
  settings.worker.arguments = {"before"};
  fixture f(settings, "tells_its_arguments_and_serves");
  CHECK(f.expect_message(worker_id{1}) == "before");
  f.listening();
  f.boss->setup(with_arguments({"after"}));
  CHECK_FALSE(f.reload());
  CHECK(f.expect_message(worker_id{2}) == "after");
  f.boss->setup(with_arguments({"in the end"}));
  f.boss->kill(worker_id{2});
  CHECK(f.expect_message(worker_id{3}) == "in the end");
}

WORKER_BODY(tells_its_arguments_and_serves)(worker& self)->awaitable<void> {
  auto const text = worker_arguments().at(0);
  co_await tell(self, text);
  co_await serve(acceptor(self, any_port()), self.id());
}

TEST_CASE("after the shutdown nothing is set up", "[process][setup]") {
  fixture f({});
  CHECK_FALSE(f.shutdown());
  error_code ec;
  f.boss->setup(with_arguments({"late"}), ec);
  CHECK(ec == errc::shutting_down);
  CHECK(f.boss->settings().worker.arguments == std::vector<std::string>{});
  CHECK_THROWS(f.boss->setup({}));
}

}  // namespace prong::test
