// The life of a worker: every state, and everything that can happen in it.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/roster.hpp"

#include "support/actions.hpp"
#include "support/catch.hpp"

#include <prong/error.hpp>

#include <boost/asio/error.hpp>

namespace prong::core {
namespace {

using namespace std::chrono_literals;
using happening = roster::happening;
using state = worker_state;
using test::events;
using test::frames;
using test::only;

options limits() {
  options all;
  all.start_timeout = 10s;
  all.stop_timeout = 30s;
  return all;
}

struct fixture {
  action_queue actions;
  roster workers{limits(), actions};
  time_point now{1h};

  roster::worker& starting() {
    auto& at = workers.add(0, now);
    workers.on_spawned(at, 4'711, {});
    done();
    return at;
  }
  roster::worker& in(state wanted) {
    auto& at = starting();
    if (wanted == state::online || wanted == state::draining) workers.on(at, happening::hello, now);
    if (wanted == state::draining) workers.on(at, happening::stop, now);
    if (wanted == state::ending) workers.on(at, happening::link_closed, now);
    done();
    REQUIRE(at.state == wanted);
    return at;
  }
  std::vector<any_action> done() { return test::drain(actions); }
};

TEST_CASE_METHOD(fixture, "a new worker starts, with a number that no other ever has",
                 "[unit][roster][I5]") {
  auto& at = workers.add(0, now);
  CHECK(at.id == worker_id{1});
  CHECK(at.state == state::starting);
  CHECK(at.deadline == now + 10s);
  workers.on_spawned(at, 4'711, {});
  auto const forked = events<worker_forked>(done());
  REQUIRE(forked.size() == 1);
  CHECK(forked[0].process == 4'711);
  at.exited = at.link_closed = true;
  workers.remove(worker_id{1});
  CHECK(workers.add(0, now).id == worker_id{2});
}

TEST_CASE_METHOD(fixture, "a hello brings a starting worker online", "[unit][roster]") {
  auto& at = in(state::starting);
  CHECK(workers.on(at, happening::hello, now));
  CHECK(at.state == state::online);
  CHECK(at.deadline == never);
  CHECK(events<worker_online>(done()).at(0).process == 4'711);
}

TEST_CASE_METHOD(fixture, "a second hello breaks the protocol", "[unit][roster]") {
  auto& at = in(state::online);
  CHECK_FALSE(workers.on(at, happening::hello, now));
}

TEST_CASE_METHOD(fixture, "a hello that crosses a stop or an end changes nothing",
                 "[unit][roster]") {
  for (auto const each : {state::draining, state::ending}) {
    auto& at = in(each);
    CHECK(workers.on(at, happening::hello, now));
    CHECK(at.state == each);
    CHECK(done().empty());
  }
}

TEST_CASE_METHOD(fixture, "a stop makes a worker drain, also one that has not said hello",
                 "[unit][roster]") {
  for (auto const each : {state::starting, state::online}) {
    auto& at = in(each);
    CHECK(workers.on(at, happening::stop, now));
    CHECK(at.state == state::draining);
    CHECK(at.deliberate);
    CHECK(at.deadline == now + 30s);
    CHECK(frames<wire::stop>(done(), at.id).size() == 1);
  }
}

TEST_CASE_METHOD(fixture, "a second stop neither repeats the first nor gives more time",
                 "[unit][roster]") {
  auto& at = in(state::draining);
  CHECK(workers.on(at, happening::stop, now + 5s));
  CHECK(at.deadline == now + 30s);
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "a stop of a worker that ends only makes it deliberate",
                 "[unit][roster]") {
  auto& at = in(state::ending);
  CHECK(workers.on(at, happening::stop, now));
  CHECK(at.state == state::ending);
  CHECK(at.deliberate);
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "a worker whose link closes has a second to end", "[unit][roster]") {
  for (auto const each : {state::starting, state::online}) {
    auto& at = in(each);
    CHECK(workers.on(at, happening::link_closed, now));
    CHECK(at.state == state::ending);
    CHECK(at.deadline == now + 1s);
    CHECK_FALSE(at.gone());
    CHECK(events<worker_disconnected>(done()).size() == 1);
  }
}

TEST_CASE_METHOD(fixture, "a draining worker may close its link and go on", "[unit][roster]") {
  auto& at = in(state::draining);
  CHECK(workers.on(at, happening::link_closed, now));
  CHECK(at.state == state::draining);
  CHECK(at.deadline == now + 30s);
  CHECK(events<worker_disconnected>(done()).size() == 1);
}

TEST_CASE_METHOD(fixture, "a worker whose process has ended waits for its link alone",
                 "[unit][roster][I3]") {
  for (auto const each : {state::starting, state::online, state::draining}) {
    auto& at = in(each);
    CHECK(workers.on(at, happening::exited, now));
    CHECK(at.state == state::ending);
    CHECK(at.deadline == never);
    CHECK_FALSE(at.gone());
    CHECK(only<action::expect_link_end>(done()).size() == 1);
    CHECK(workers.on(at, happening::link_closed, now));
    CHECK(at.gone());
    CHECK(at.deadline == never);
    CHECK(events<worker_disconnected>(done()).size() == 1);
  }
}

TEST_CASE_METHOD(fixture, "an exit after the link has closed is the end", "[unit][roster]") {
  auto& at = in(state::ending);
  CHECK(workers.on(at, happening::exited, now));
  CHECK(at.gone());
  CHECK(at.deadline == never);
  CHECK(done().empty());
}

TEST_CASE_METHOD(fixture, "who is late is killed once, and the reason is kept",
                 "[unit][roster][I8]") {
  auto const expect = [&](state late, duration time, errc why) {
    auto& at = in(late);
    CHECK(workers.late(now + time - 1ms).empty());
    CHECK(workers.next_deadline() == now + time);
    REQUIRE(workers.late(now + time) == std::vector{at.id});
    CHECK(workers.on(at, happening::deadline, now + time));
    CHECK(only<action::kill>(done()).size() == 1);
    CHECK(at.failure == make_error_code(why));
    CHECK(workers.next_deadline() == never);
  };
  SECTION("to say hello") {
    expect(state::starting, 10s, errc::start_timeout);
  }
  SECTION("to drain") {
    expect(state::draining, 30s, errc::stop_timeout);
  }
  SECTION("to end after its link") {
    expect(state::ending, 1s, errc::stop_timeout);
  }
}

TEST_CASE_METHOD(fixture, "an online worker is never late", "[unit][roster]") {
  in(state::online);
  CHECK(workers.next_deadline() == never);
  CHECK(workers.late(never - 1ns).empty());
}

TEST_CASE_METHOD(fixture, "the earliest deadline counts", "[unit][roster]") {
  in(state::draining);
  in(state::ending);
  in(state::starting);
  CHECK(workers.next_deadline() == now + 1s);
  CHECK(workers.late(now + 10s) == std::vector{worker_id{2}, worker_id{3}});
}

TEST_CASE_METHOD(fixture, "worker_exited tells all, and comes last", "[unit][roster][I5]") {
  auto& at = in(state::draining);
  at.status = 137;
  at.signal = 9;
  workers.on(at, happening::link_closed, now);
  workers.on(at, happening::exited, now);
  workers.remove(at.id);
  auto const all = done();
  REQUIRE(all.size() == 3);
  CHECK(std::holds_alternative<worker_disconnected>(std::get<action::emit>(all[0]).what));
  auto const exited = events<worker_exited>(all);
  REQUIRE(exited.size() == 1);
  CHECK(exited[0].id == worker_id{1});
  CHECK(exited[0].process == 4'711);
  CHECK(exited[0].status == 137);
  CHECK(exited[0].signal == 9);
  CHECK(exited[0].exited_after_disconnect);
  CHECK_FALSE(exited[0].error);
  CHECK(std::get<action::retire>(all[2]).id == worker_id{1});
  CHECK(workers.empty());
  CHECK(workers.find(worker_id{1}) == nullptr);
}

TEST_CASE_METHOD(fixture, "a worker that cannot be started is gone at once", "[unit][roster]") {
  auto& at = workers.add(0, now);
  workers.on_spawned(at, 0, asio::error::no_memory);
  CHECK(at.gone());
  workers.remove(at.id);
  auto const all = done();
  CHECK(events<worker_forked>(all).at(0).process == 0);
  CHECK(events<worker_disconnected>(all).empty());
  auto const exited = events<worker_exited>(all).at(0);
  CHECK(exited.process == 0);
  CHECK(exited.error == asio::error::no_memory);
  CHECK_FALSE(exited.exited_after_disconnect);
}

TEST_CASE_METHOD(fixture, "who is expelled is cut off and killed", "[unit][roster]") {
  auto& at = in(state::online);
  workers.expel(at, errc::protocol_error);
  auto const all = done();
  CHECK(only<action::cut_link>(all).size() == 1);
  CHECK(only<action::kill>(all).size() == 1);
  CHECK(at.failure == make_error_code(errc::protocol_error));
}

TEST_CASE_METHOD(fixture, "who is expelled has only that ended which has not ended",
                 "[unit][roster][I6]") {
  auto& unlinked = in(state::ending);
  workers.expel(unlinked, errc::protocol_error);
  auto all = done();
  CHECK(only<action::cut_link>(all).empty());
  CHECK(only<action::kill>(all).size() == 1);

  auto& dead = in(state::online);
  workers.on(dead, happening::exited, now);
  done();
  workers.expel(dead, errc::protocol_error);
  all = done();
  CHECK(only<action::cut_link>(all).size() == 1);
  CHECK(only<action::kill>(all).empty());
}

TEST_CASE_METHOD(fixture, "the first reason to end a worker is the one that counts",
                 "[unit][roster]") {
  auto& at = in(state::starting);
  workers.on(at, happening::deadline, now);
  workers.expel(at, errc::protocol_error);
  CHECK(at.failure == make_error_code(errc::start_timeout));
}

}  // namespace
}  // namespace prong::core
