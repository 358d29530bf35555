// The primary's decisions: lives of workers, the pool, the end.
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
using pairs = std::vector<std::pair<worker_id, connection_id>>;

constexpr worker_id first{1};
constexpr worker_id second{2};
constexpr worker_id third{3};

struct supervised : scripted_primary {
  supervised() : scripted_primary(pool_of(2)) {
    call([](primary_core& each) { each.run(); });
  }
  void both_listen() {
    comes_up(first);
    comes_up(second);
    forget();
  }
};

// --- Lives --------------------------------------------------------------------------------------

TEST_CASE_METHOD(by_hand, "a worker is forked, comes online, listens, and exits last of all",
                 "[unit][primary][I5]") {
  CHECK(forks() == first);
  comes_up(first);
  CHECK(told<wire::welcome>(first) == std::vector{wire::welcome{1, 0}});
  dies(first);
  std::vector<std::size_t> order;
  for (auto const& each : seen)
    if (auto const* const out = std::get_if<action::emit>(&each))
      order.push_back(out->what.index());
  CHECK(order == std::vector{event(worker_forked{}).index(), event(worker_online{}).index(),
                             event(worker_listening{}).index(),
                             event(worker_disconnected{}).index(), event(worker_exited{}).index()});
  auto const exited = reported<worker_exited>().at(0);
  CHECK(exited.process == process_of(first));
  CHECK(exited.signal == 9);
  CHECK_FALSE(exited.exited_after_disconnect);
  CHECK(core.no_workers());
  CHECK(wanted<action::spawn>().size() == 1);  // by hand nobody replaces it
}

TEST_CASE_METHOD(by_hand, "a worker is gone when both its link and its process have ended",
                 "[unit][primary][I5]") {
  forks();
  says_hello(first);
  closes_link(first);
  CHECK(reported<worker_exited>().empty());
  exits(first);
  CHECK(reported<worker_exited>().size() == 1);
  CHECK_FALSE(core.knows(first));
}

TEST_CASE_METHOD(by_hand, "the list of workers says what each is doing", "[unit][primary]") {
  two_listen();
  call([](primary_core& each) { each.stop(first); });
  auto const all = core.workers();
  REQUIRE(all.size() == 2);
  CHECK(all[0].state == worker_state::draining);
  CHECK(all[0].endpoints.empty());
  CHECK(all[1].state == worker_state::online);
  CHECK(all[1].process == process_of(second));
  CHECK(all[1].endpoints == std::vector{port(80)});
  CHECK_FALSE(core.serves(first));
  CHECK(core.serves(second));
}

TEST_CASE_METHOD(by_hand, "a worker that never says hello is killed", "[unit][primary][I8]") {
  forks();
  CHECK(core.next_deadline() == now + 10s);
  passes(9'999ms);
  CHECK(killed().empty());
  passes(1ms);
  CHECK(killed() == workers{first});
  CHECK(core.next_deadline() == never);
  dies(first);
  CHECK(reported<worker_exited>().at(0).error == make_error_code(errc::start_timeout));
}

TEST_CASE_METHOD(by_hand, "a worker that drains too long is killed", "[unit][primary][I8]") {
  forks();
  says_hello(first);
  call([](primary_core& each) { each.stop(first); });
  CHECK(told<wire::stop>(first).size() == 1);
  says(first, wire::stopping{});
  closes_link(first);
  passes(30s);
  CHECK(killed() == workers{first});
  exits(first, 137, 9);
  auto const exited = reported<worker_exited>().at(0);
  CHECK(exited.error == make_error_code(errc::stop_timeout));
  CHECK(exited.exited_after_disconnect);
}

TEST_CASE_METHOD(by_hand, "a worker that has lost its link is killed after a second",
                 "[unit][primary][I8]") {
  forks();
  says_hello(first);
  closes_link(first);
  passes(1s);
  CHECK(killed() == workers{first});
}

TEST_CASE_METHOD(by_hand, "a worker that stops by itself is not dead", "[unit][primary]") {
  two_listen();
  drains_and_ends(first);
  CHECK(reported<worker_exited>().at(0).exited_after_disconnect);
}

TEST_CASE_METHOD(by_hand, "a worker that stops by itself is offered nothing more",
                 "[unit][primary]") {
  two_listen();
  grants(first);
  says(first, wire::stopping{});
  arrive(1, 1);
  CHECK(offers().empty());
  grants(second);
  CHECK(offers() == pairs{{second, connection_id{1}}});
}

TEST_CASE_METHOD(by_hand, "a worker can be killed while its process lives", "[unit][primary][I6]") {
  forks();
  call([](primary_core& each) { each.kill(first); });
  CHECK(killed() == workers{first});
  exits(first, 137, 9);
  forget();
  call([](primary_core& each) { each.kill(first); });
  call([](primary_core& each) { each.kill(worker_id{99}); });
  CHECK(killed().empty());
}

TEST_CASE_METHOD(by_hand, "stopping somebody unknown changes nothing", "[unit][primary]") {
  call([](primary_core& each) { each.stop(worker_id{5}); });
  CHECK(seen.empty());
}

// --- The pool -----------------------------------------------------------------------------------

TEST_CASE_METHOD(supervised, "a pool starts its workers, and replaces who dies",
                 "[unit][primary]") {
  CHECK(spawned() == workers{first, second});
  both_listen();
  passes(1min);
  dies(first);
  CHECK(spawned() == workers{third});
  comes_up(third);
  dies(second);
  CHECK(spawned() == workers{third, worker_id{4}});
}

TEST_CASE_METHOD(supervised, "who dies young is replaced later", "[unit][primary][I7]") {
  dies(first);
  CHECK(spawned() == workers{first, second, third});
  dies(third);
  CHECK(spawned().size() == 3);
  CHECK(core.next_deadline() <= now + 75ms);
  at_time(core.next_deadline());
  CHECK(spawned().size() == 4);
}

TEST_CASE_METHOD(supervised, "a supervised port stays open, and connections wait",
                 "[unit][primary]") {
  both_listen();
  dies(first);
  dies(second);
  arrive(1, 1);
  CHECK(wanted<action::close_listener>().empty());
  comes_up(third);
  grants(third);
  CHECK(offers() == pairs{{third, connection_id{1}}});
}

TEST_CASE("a worker that cannot be started counts as a death", "[unit][primary][I7]") {
  auto settings = scripted_primary::pool_of(1);
  settings.respawn.max_deaths = 2;
  scripted_primary primary(settings);
  primary.spawn_error = asio::error::no_memory;
  primary.call([](primary_core& each) { each.run(); });
  while (primary.reported<respawn_suspended>().empty()) {
    REQUIRE(primary.core.next_deadline() < never);
    primary.at_time(primary.core.next_deadline());
  }
  auto const exited = primary.reported<worker_exited>();
  CHECK(exited.size() == 3);
  for (auto const& each : exited) CHECK(each.error == asio::error::no_memory);

  primary.spawn_error = {};
  primary.passes(15s);
  CHECK(primary.reported<respawn_resumed>().size() == 1);
  CHECK(primary.core.serves(worker_id{4}));
}

TEST_CASE_METHOD(supervised, "a pool that grows starts more, and one that shrinks stops some",
                 "[unit][primary]") {
  both_listen();
  call([](primary_core& each) { each.resize(3); });
  CHECK(spawned() == workers{third});
  call([](primary_core& each) { each.resize(1); });
  CHECK(told<wire::stop>(third).size() == 1);
  CHECK(told<wire::stop>(second).size() == 1);
  CHECK(told<wire::stop>(first).empty());
  drains_and_ends(second);
  CHECK(spawned() == workers{third});
}

TEST_CASE_METHOD(supervised, "a member of the pool that was stopped is replaced",
                 "[unit][primary]") {
  both_listen();
  call([](primary_core& each) { each.stop(first); });
  CHECK(spawned().empty());
  drains_and_ends(first);
  CHECK(spawned() == workers{third});
}

TEST_CASE_METHOD(supervised, "who was forked beside the pool is not replaced", "[unit][primary]") {
  call([](primary_core& each) { return each.fork(); });
  forget();
  dies(third);
  CHECK(spawned().empty());
}

// --- The end ------------------------------------------------------------------------------------

TEST_CASE_METHOD(supervised, "stopping all closes the ports and starts nobody", "[unit][primary]") {
  both_listen();
  arrive(1, 1);
  call([](primary_core& each) { each.stop_all(); });
  CHECK(wanted<action::close_listener>().size() == 1);
  CHECK(wanted<action::forget>().size() == 1);  // a client had better be refused than wait
  drains_and_ends(first);
  drains_and_ends(second);
  CHECK(core.no_workers());
  CHECK(spawned().empty());
  CHECK(wanted<action::finished>().empty());  // it is no shutdown: the pool can be resized
  call([](primary_core& each) { each.resize(1); });
  CHECK(spawned() == workers{third});
}

TEST_CASE_METHOD(supervised, "a shutdown is finished once, after the last worker",
                 "[unit][primary][I8]") {
  both_listen();
  call([](primary_core& each) { each.shutdown(); });
  CHECK(core.shutting_down());
  call([](primary_core& each) { each.shutdown(); });
  drains_and_ends(first);
  CHECK(wanted<action::finished>().empty());
  dies(second);
  CHECK(wanted<action::finished>().size() == 1);
  CHECK(test::position<action::finished>(seen) == seen.size() - 1);
  call([](primary_core& each) { each.shutdown(); });
  call([](primary_core& each) { each.resize(5); });
  CHECK(wanted<action::finished>().size() == 1);
  CHECK(spawned().empty());
}

TEST_CASE_METHOD(by_hand, "a shutdown without workers is finished at once", "[unit][primary]") {
  call([](primary_core& each) { each.shutdown(); });
  CHECK(wanted<action::finished>().size() == 1);
}

TEST_CASE_METHOD(supervised, "a shutdown stops workers that have not said hello",
                 "[unit][primary]") {
  call([](primary_core& each) { each.shutdown(); });
  CHECK(told<wire::stop>(first).size() == 1);
  says_hello(first);
  CHECK(reported<worker_online>().empty());
  drains_and_ends(first);
  dies(second);
  CHECK(wanted<action::finished>().size() == 1);
}

TEST_CASE_METHOD(supervised, "a shutdown ends who neither drains nor ends", "[unit][primary][I8]") {
  both_listen();
  call([](primary_core& each) { each.shutdown(); });
  passes(30s);
  CHECK(killed() == workers{first, second});
  forget();
  call([](primary_core& each) { each.kill_all(); });
  CHECK(killed() == workers{first, second});
  dies(first);
  dies(second);
  CHECK(wanted<action::finished>().size() == 1);
}

}  // namespace
}  // namespace prong::core
