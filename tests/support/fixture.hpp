// A primary with real workers, which are bodies of this test program: what the tests of whole
// processes share. Every wait is one for something that must happen.
//
//   fixture f({.workers = 1}, "echo");
//   auto const port = f.listening();
//   client one(f, port);
//   CHECK(one.ask("hello") == "hello");
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/catch.hpp"
#include "support/system.hpp"
#include "support/watchdog.hpp"
#include "support/worker_body.hpp"

#include <prong/prong.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace prong::test {

using asio::ip::tcp;
using namespace std::chrono_literals;

tcp::endpoint any_port();
/// The options of a pool of `count`.
options pool_of(std::size_t count);
/// The same, where the primary accepts on every system: for what hangs on its handing over.
options round_robin_pool_of(std::size_t count);

/// A test ends with the handles that it began with, and without a process.
class leaves_nothing {
 public:
  leaves_nothing() : before_(open_handles()) {}
  leaves_nothing(leaves_nothing const&) = delete;
  leaves_nothing& operator=(leaves_nothing const&) = delete;
  ~leaves_nothing();

 private:
  std::vector<int> before_;
};

class fixture {
  // First, because what follows is what it checks.
  leaves_nothing nothing_;
  watchdog watchdog_;

 public:
  /// A primary whose workers run `body`. With a pool, `async_run` is called.
  explicit fixture(options settings, std::string_view body = "echo");
  fixture(fixture const&) = delete;
  fixture& operator=(fixture const&) = delete;

  asio::io_context io{1};
  std::optional<primary> boss;
  /// What `async_run` has completed with.
  std::optional<error_code> ran;

  /// Runs handlers until `done`. A test that hangs fails here, and says what everybody does.
  template <class Done>
  void run_until(Done done) {
    auto const deadline = std::chrono::steady_clock::now() + 20s;
    while (!done()) {
      if (io.stopped()) io.restart();
      if (io.run_one_until(deadline) == 0)
        fail(io.stopped() ? "nothing is left that could happen" : "it hangs");
    }
  }
  /// Starts an operation, and runs until it has completed.
  template <class Start>
  error_code complete(Start start) {
    std::optional<error_code> result;
    start([&](error_code ec) { result = ec; });
    run_until([&] { return result.has_value(); });
    return *result;
  }

  /// The next event, whatever it is.
  event next_event();
  /// The oldest event of this kind that no `expect` has returned, and for which `which` holds.
  template <class Event, class Which>
  Event expect(Which which) {
    for (auto at = untaken_.begin();;) {
      if (at == untaken_.end()) at = untaken_.insert(at, next_event());
      if (auto* const found = std::get_if<Event>(&*at); found && which(*found)) {
        auto result = std::move(*found);
        untaken_.erase(at);
        return result;
      }
      ++at;
    }
  }
  template <class Event>
  Event expect() {
    return expect<Event>([](Event const&) { return true; });
  }
  template <class Event>
  Event expect_from(worker_id id) {
    return expect<Event>([id](Event const& what) { return what.id == id; });
  }
  /// Whether such an event has come and been passed over by `expect`.
  template <class Event>
  bool has_seen() const {
    for (auto const& each : untaken_)
      if (std::holds_alternative<Event>(each)) return true;
    return false;
  }
  /// The text of the next message of a worker.
  std::string expect_message(worker_id id);
  /// Runs until `count` workers listen; the port of the last.
  tcp::endpoint listening(std::size_t count = 1);

  worker_id fork(std::string_view body);
  /// The body of workers that are started from now on.
  static void next_worker_runs(std::string_view body);
  error_code send(worker_id to, std::string topic, std::string body = {});
  /// Sends a message by which the worker ends. That end may be seen before the message's.
  void send_last(worker_id to, std::string topic) { send(to, std::move(topic)); }
  /// Sends a message and waits for the answer: what was sent before has been handled then.
  std::string ask(worker_id to, std::string topic, std::string body = {});
  error_code disconnect(worker_id id);
  error_code reload();
  error_code shutdown();
  std::vector<worker_id> ids() const;

 private:
  [[noreturn]] void fail(std::string_view why) const;

  std::deque<event> untaken_;
};

/// A client that talks in lines with a worker that greets: see process/serving.hpp.
class client {
 public:
  client(fixture& owner, tcp::endpoint const& to);
  client(fixture& owner, tcp::socket connection) : f(&owner), socket(std::move(connection)) {}

  /// The next line; none if the connection has ended.
  std::optional<std::string> read_line();
  /// The greeting: which worker has taken the connection.
  worker_id server();
  std::string ask(std::string const& line);

  fixture* f;
  tcp::socket socket;

 private:
  std::string read_;
};

}  // namespace prong::test
