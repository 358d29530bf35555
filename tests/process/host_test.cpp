// A primary and its host: requests, and when it is ready.
// SPDX-License-Identifier: BSL-1.0
#include "support/fixture.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/system_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

namespace prong::test {
namespace {

using asio::awaitable;
using asio::use_awaitable;

bool contains(std::vector<std::string> const& all, std::string_view text) {
  return std::ranges::any_of(all, [&](auto const& each) { return each.starts_with(text); });
}

/// A primary that runs below a host, and what it says.
struct hosted {
  explicit hosted(options settings, std::string_view body, hosting how = {})
      : f({}, body), where(f.io) {
    settings.worker.arguments.emplace();
    settings.log = [this](log_level, std::string_view text) { log.emplace_back(text); };
    how.on_event = [this](event const& what) { events.push_back(what.index()); };
    f.boss.emplace(f.io, settings);
    where.async_run(
        *f.boss, how,
        asio::bind_cancellation_slot(cancel.slot(), [this](error_code ec) { result = ec; }));
  }

  template <class Event>
  auto count() const {
    return std::ranges::count(events, event(Event{}).index());
  }
  error_code wait() {
    f.run_until([this] { return result.has_value(); });
    return *result;
  }

  std::vector<std::string> log;
  std::vector<std::size_t> events;  // which kind each was
  std::optional<error_code> result;
  asio::cancellation_signal cancel;
  fixture f;
  host where;
};

}  // namespace

WORKER_BODY(listens_when_told)(worker& self)->awaitable<void> {
  co_await self.async_receive(use_awaitable);
  acceptor listener(self, any_port());
  co_await listener.async_accept(use_awaitable);
}

TEST_CASE("a hosted primary is ready when every worker listens, and not before",
          "[process][host]") {
  hosted h(pool_of(2), "listens_when_told");
  h.f.run_until([&] { return h.count<worker_online>() == 2; });
  auto const ids = h.f.ids();
  CHECK_FALSE(h.f.send(ids[0], "listen"));
  h.f.run_until([&] { return h.count<worker_listening>() == 1; });
  CHECK_FALSE(contains(h.log, "ready"));
  CHECK_FALSE(h.f.send(ids[1], "listen"));
  h.f.run_until([&] { return h.count<worker_listening>() == 2; });
  CHECK(contains(h.log, "ready: 2 workers online, listening on "));
  h.cancel.emit(asio::cancellation_type::total);
  CHECK(h.wait() == asio::error::operation_aborted);
}

WORKER_BODY(never_listens)(worker& self)->awaitable<void> {
  co_await self.async_wait_stop(use_awaitable);
}

TEST_CASE("workers that never listen are ready when they are online", "[process][host]") {
  hosting how;
  how.workers_listen = false;
  hosted h(pool_of(2), "never_listens", how);
  h.f.run_until([&] { return h.count<worker_online>() == 2; });
  CHECK(contains(h.log, "ready: 2 workers online"));
  std::raise(SIGINT);
  CHECK_FALSE(h.wait());
  CHECK(h.count<worker_exited>() == 2);
}

TEST_CASE("a signal stops a hosted primary gracefully, a second one at once", "[process][host]") {
  hosted h(pool_of(2), "hangs_when_it_drains");
  h.f.run_until([&] { return contains(h.log, "ready"); });
  std::raise(SIGTERM);
  h.f.run_until([&] { return h.count<worker_disconnected>() == 2; });
  CHECK_FALSE(h.result);
  std::raise(SIGTERM);
  CHECK(h.wait() == asio::error::operation_aborted);
}

WORKER_BODY(hangs_when_it_drains)(worker& self)->awaitable<void> {
  acceptor listener(self, any_port());
  co_await listener.async_listen(use_awaitable);
  asio::system_timer forever(self.get_executor(), 24h);
  co_await forever.async_wait(use_awaitable);
}

WORKER_PROGRAM(ends_at_once) {
  return 3;
}

TEST_CASE("a start that fails because workers die ends with an error", "[process][host]") {
  auto settings = pool_of(1);
  settings.respawn.initial_delay = settings.respawn.max_delay = 0ms;
  settings.respawn.max_deaths = 3;
  hosted h(settings, "ends_at_once");
  CHECK(h.wait() == errc::worker_gone);
  CHECK(contains(h.log, "4 workers died too fast"));
  CHECK_FALSE(contains(h.log, "ready"));
}

TEST_CASE("there is one host in a process", "[process][host]") {
  asio::io_context io;
  std::optional<host> first(std::in_place, io);
  CHECK_THROWS_AS(host(io), boost::system::system_error);
  first.reset();
  CHECK_NOTHROW(host(io));
}

TEST_CASE("requests wait for who asks for the next one", "[process][host]") {
  fixture f({});
  host where(f.io);
  std::raise(SIGINT);
  f.io.poll();
  std::optional<host_request> got;
  where.async_next_request([&](error_code, host_request what) { got = what; });
  CHECK_FALSE(got);  // never inline
  f.run_until([&] { return got.has_value(); });
  CHECK(*got == host_request::stop);

  std::optional<error_code> ended;
  where.async_next_request([&](error_code ec, host_request) { ended = ec; });
  where.stopped();
  f.run_until([&] { return ended.has_value(); });
  CHECK(*ended == asio::error::operation_aborted);
  where.async_next_request([&](error_code ec, host_request) { CHECK(ec); });
  f.io.run();  // nothing of the host keeps it running
}

}  // namespace prong::test
