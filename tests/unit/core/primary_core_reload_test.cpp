// The primary's decisions during a rolling reload.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/primary_core.hpp"

#include "support/catch.hpp"
#include "unit/core/scripted_primary.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using workers = std::vector<worker_id>;

constexpr worker_id first{1};
constexpr worker_id second{2};
constexpr worker_id third{3};
constexpr worker_id fourth{4};

struct fixture : scripted_primary {
  fixture() : scripted_primary(pool_of(2)) {
    call([](primary_core& each) { each.run(); });
    comes_up(first);
    comes_up(second);
    forget();
  }
  std::uint64_t reloads() {
    return call([](primary_core& each) { return each.reload(); });
  }
  // The one reload that has finished since the last `forget`, and its result.
  error_code result_of(std::uint64_t number) {
    auto const all = wanted<action::reload_finished>();
    REQUIRE(all.size() == 1);
    CHECK(all[0].number == number);
    return all[0].result;
  }
  bool unfinished() { return wanted<action::reload_finished>().empty(); }
};

TEST_CASE_METHOD(fixture, "a reload replaces one worker after the other", "[unit][reload][I7]") {
  auto const number = reloads();
  auto const started = wanted<action::spawn>();
  REQUIRE(started.size() == 1);
  CHECK(started[0].id == third);
  CHECK(started[0].like == first);
  says_hello(third);
  CHECK(told<wire::stop>(first).empty());  // the replacement does not listen yet
  listens(third);
  CHECK(told<wire::stop>(first).size() == 1);
  CHECK(spawned() == workers{third, fourth});  // without waiting for the end of the old one
  CHECK(unfinished());
  comes_up(fourth);
  CHECK(told<wire::stop>(second).size() == 1);
  CHECK_FALSE(result_of(number));
  drains_and_ends(first);
  drains_and_ends(second);
  CHECK(spawned() == workers{third, fourth});
  CHECK(core.workers().size() == 2);
}

TEST_CASE_METHOD(fixture, "a replacement is ready when it has as many listeners as the old one",
                 "[unit][reload]") {
  listens(first, 2, 81);
  reloads();
  says_hello(third);
  listens(third, 1, 80);
  CHECK(told<wire::stop>(first).empty());
  listens(third, 2, 81);
  CHECK(told<wire::stop>(first).size() == 1);
}

TEST_CASE("a replacement of a worker without listeners is ready when it is online",
          "[unit][reload]") {
  scripted_primary primary;
  primary.call([](primary_core& each) { return each.fork(); });
  primary.says_hello(first);
  primary.call([](primary_core& each) { return each.reload(); });
  CHECK(primary.told<wire::stop>(first).empty());
  primary.says_hello(second);
  CHECK(primary.told<wire::stop>(first).size() == 1);
  CHECK(primary.wanted<action::reload_finished>().size() == 1);
}

TEST_CASE("a reload without workers is done at once", "[unit][reload]") {
  scripted_primary primary;
  CHECK(primary.call([](primary_core& each) { return each.reload(); }) == 1);
  auto const finished = primary.wanted<action::reload_finished>();
  REQUIRE(finished.size() == 1);
  CHECK(finished[0].number == 1);
  CHECK_FALSE(finished[0].result);
}

TEST_CASE_METHOD(fixture, "a replacement that dies ends the reload, and the old worker stays",
                 "[unit][reload]") {
  auto const number = reloads();
  dies(third);
  CHECK(result_of(number) == make_error_code(errc::replacement_failed));
  CHECK(told<wire::stop>(first).empty());
  CHECK(core.serves(first));
  CHECK(core.serves(second));
  CHECK(spawned() == workers{third});
}

TEST_CASE_METHOD(fixture, "a replacement that cannot be started ends the reload",
                 "[unit][reload]") {
  spawn_error = asio::error::no_memory;
  auto const number = reloads();
  CHECK(result_of(number) == make_error_code(errc::replacement_failed));
  CHECK(core.serves(first));
}

TEST_CASE_METHOD(fixture, "a replacement that stops by itself ends the reload", "[unit][reload]") {
  auto const number = reloads();
  says_hello(third);
  says(third, wire::stopping{});
  CHECK(result_of(number) == make_error_code(errc::replacement_failed));
  CHECK(core.serves(first));
}

TEST_CASE_METHOD(fixture, "a replacement that is never ready is ended", "[unit][reload]") {
  auto const number = reloads();
  SECTION("without a hello") {}
  SECTION("online, but without a listener") {
    says_hello(third);
  }
  passes(9'999ms);
  CHECK(unfinished());
  passes(1ms);
  CHECK(result_of(number) == make_error_code(errc::start_timeout));
  CHECK_FALSE(killed().empty());
  exits(third, 137, 9);
  if (core.knows(third)) closes_link(third);  // unless it was cut
  CHECK(reported<worker_exited>().at(0).error == make_error_code(errc::start_timeout));
  CHECK(told<wire::stop>(first).empty());
  CHECK(core.workers().size() == 2);
}

TEST_CASE_METHOD(fixture, "what a replacement may have taken when it is ended is not offered again",
                 "[unit][reload][I2]") {
  listens(first, 2, 81);
  reloads();
  says_hello(third);
  listens(third);  // one listener of two
  grants(third);
  arrive(1, 1);
  grants(second);
  REQUIRE(offers().size() == 1);
  passes(10s);  // its took may be on the way when its link is cut
  CHECK(killed() == workers{third});
  CHECK(offers().size() == 1);
  CHECK(core.ports().counted().abandoned == 1);
}

TEST_CASE_METHOD(fixture, "if the old worker dies first, its replacement has its place",
                 "[unit][reload]") {
  auto const number = reloads();
  dies(first);
  CHECK(spawned() == workers{third});  // no other successor
  comes_up(third);
  comes_up(fourth);
  CHECK_FALSE(result_of(number));
  drains_and_ends(second);
  CHECK(core.workers().size() == 2);
  passes(1min);
  dies(third);
  CHECK(spawned() == workers{third, fourth, worker_id{5}});
}

TEST_CASE_METHOD(fixture, "if both die, the place is filled again", "[unit][reload]") {
  auto const number = reloads();
  dies(first);
  dies(third);
  CHECK(result_of(number) == make_error_code(errc::replacement_failed));
  CHECK(spawned() == workers{third, fourth});
  comes_up(fourth);
  CHECK(core.workers().size() == 2);
}

TEST_CASE_METHOD(fixture, "who went by itself needs no replacement", "[unit][reload]") {
  reloads();
  call([](primary_core& each) { each.stop(second); });
  comes_up(third);
  CHECK(spawned() == workers{third});
  CHECK_FALSE(wanted<action::reload_finished>().empty());
  drains_and_ends(second);
  CHECK(spawned() == workers{third, fourth});  // the pool's own doing
}

TEST_CASE_METHOD(fixture, "a reload during a reload is one more after it", "[unit][reload]") {
  CHECK(reloads() == 1);
  CHECK(reloads() == 2);
  CHECK(reloads() == 2);
  comes_up(third);
  comes_up(fourth);
  CHECK_FALSE(result_of(1));
  CHECK(spawned() == workers{third, fourth, worker_id{5}});
  CHECK(wanted<action::spawn>().at(2).like == third);
  forget();
  comes_up(worker_id{5});
  comes_up(worker_id{6});
  CHECK_FALSE(result_of(2));
  CHECK(told<wire::stop>(third).size() == 1);
  CHECK(told<wire::stop>(fourth).size() == 1);
  CHECK(spawned() == workers{worker_id{6}});
}

TEST_CASE_METHOD(fixture, "a reload that fails does not take the next one with it",
                 "[unit][reload]") {
  CHECK(reloads() == 1);
  CHECK(reloads() == 2);
  dies(third);
  CHECK(result_of(1) == make_error_code(errc::replacement_failed));
  CHECK(spawned() == workers{third, fourth});
}

TEST_CASE_METHOD(fixture, "a shutdown during a reload aborts it", "[unit][reload][I8]") {
  auto const number = reloads();
  CHECK(reloads() == number + 1);
  call([](primary_core& each) { each.shutdown(); });
  CHECK(result_of(number + 1) == asio::error::operation_aborted);
  for (auto const id : {first, second, third}) CHECK(told<wire::stop>(id).size() == 1);
  for (auto const id : {first, second, third}) drains_and_ends(id);
  CHECK(wanted<action::finished>().size() == 1);
  CHECK(spawned() == workers{third});
}

TEST_CASE_METHOD(fixture, "a reload during a shutdown is aborted", "[unit][reload]") {
  call([](primary_core& each) { each.shutdown(); });
  forget();
  auto const number = reloads();
  CHECK(result_of(number) == asio::error::operation_aborted);
  CHECK(spawned().empty());
}

TEST_CASE_METHOD(fixture, "stopping all aborts a reload", "[unit][reload]") {
  auto const number = reloads();
  call([](primary_core& each) { each.stop_all(); });
  CHECK(result_of(number) == asio::error::operation_aborted);
  CHECK(told<wire::stop>(third).size() == 1);
}

TEST_CASE_METHOD(fixture, "a pool that shrinks during a reload keeps no replacement too many",
                 "[unit][reload][I7]") {
  auto const number = reloads();
  comes_up(third);  // first is replaced; fourth is to replace second
  drains_and_ends(first);
  SECTION("while both live") {}
  SECTION("after the old one has died") {
    dies(second);
  }
  call([](primary_core& each) { each.resize(1); });
  CHECK(told<wire::stop>(fourth).size() == 1);
  CHECK_FALSE(result_of(number));
  CHECK(told<wire::stop>(third).empty());
  drains_and_ends(fourth);
  if (core.knows(second)) drains_and_ends(second);
  CHECK(core.workers().size() == 1);
}

TEST_CASE("a reload revives a pool that was suspended", "[unit][reload]") {
  auto settings = scripted_primary::pool_of(2);
  settings.respawn.max_deaths = 1;
  scripted_primary primary(settings);
  primary.call([](primary_core& each) { each.run(); });
  primary.dies(first);
  primary.dies(second);
  REQUIRE(primary.reported<respawn_suspended>().size() == 1);
  primary.dies(third);
  REQUIRE(primary.core.no_workers());
  primary.forget();
  primary.call([](primary_core& each) { return each.reload(); });
  CHECK(primary.reported<respawn_resumed>().size() == 1);
  CHECK(primary.spawned() == workers{fourth, worker_id{5}});
  CHECK_FALSE(primary.wanted<action::reload_finished>().at(0).result);
}

}  // namespace
}  // namespace prong::core
