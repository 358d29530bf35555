// What the benchmark measures of a cluster beside its connections: messages there and back, and how
// long it takes until a worker listens. Says in one line of JSON what it has found. What it does is
// what peers/messages.js and peers/start.js do with Node's cluster.
// SPDX-License-Identifier: BSL-1.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <prong/prong.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace asio = boost::asio;
using asio::ip::tcp;
using prong::error_code;
using clock_type = std::chrono::steady_clock;

namespace {

struct settings {
  std::size_t size = 64;  // of a message, in bytes
  std::size_t in_flight = 1;
  double seconds = 1;
  std::size_t workers = 8;
};

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

double milliseconds_since(clock_type::time_point begin) {
  return seconds_since(begin) * 1000;
}

/// Calls `on_event` with each event of a primary.
class observed_primary {
 public:
  explicit observed_primary(prong::options how) : primary(context, std::move(how)) {}

  void run(std::function<void(prong::event&)> on_event) {
    on_event_ = std::move(on_event);
    next_event();
    context.run();
  }

  asio::io_context context{1};
  prong::primary primary;

 private:
  void next_event() {
    primary.async_next_event([this](error_code ec, prong::event what) {
      if (ec) return;
      on_event_(what);
      next_event();
    });
  }

  std::function<void(prong::event&)> on_event_{};
};

// --- Messages -----------------------------------------------------------------------------------

/// A worker that sends every message back.
void send_back(prong::worker& self) {
  self.async_receive([&self](error_code ec, prong::message what) {
    if (ec) return;
    self.async_send(std::move(what), asio::detached);
    send_back(self);
  });
}

int measure_messages(settings const& how) {
  asio::io_context context(1);
  if (prong::is_worker()) {
    prong::worker self(context);
    send_back(self);
    context.run();
    return 0;
  }
  observed_primary boss({});
  std::string const body(how.size, 'x');
  std::size_t came_back = 0;
  clock_type::time_point begin;
  auto const send = [&](prong::worker_id to) {
    boss.primary.async_send(to, prong::message("", body), [](error_code) {});
  };
  asio::steady_timer end(boss.context);
  boss.primary.fork();
  boss.run([&](prong::event& what) {
    if (auto const* const online = std::get_if<prong::worker_online>(&what)) {
      begin = clock_type::now();
      end.expires_after(std::chrono::duration_cast<clock_type::duration>(
          std::chrono::duration<double>(how.seconds)));
      end.async_wait([&](error_code) { boss.context.stop(); });
      for (std::size_t i = 0; i < how.in_flight; ++i) send(online->id);
    } else if (auto const* const got = std::get_if<prong::worker_message>(&what)) {
      if (got->message.body.size() == how.size) ++came_back;
      send(got->id);
    }
  });
  fmt::print("{{\"round_trips\": {}, \"per_second\": {:.1f}}}\n", came_back,
             static_cast<double>(came_back) / seconds_since(begin));
  return 0;
}

// --- The way to a worker that listens -----------------------------------------------------------

int listen_as_worker() {
  asio::io_context context(1);
  prong::worker self(context);
  prong::acceptor acceptor(self, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  std::function<void()> accept = [&] {
    acceptor.async_accept([&](error_code ec, tcp::socket const&) {
      if (!ec) accept();
    });
  };
  accept();
  context.run();
  return 0;
}

/// Starts one worker after the other, by hand.
std::vector<double> measure_forks(std::size_t workers) {
  std::vector<double> result;
  observed_primary boss({});
  auto begin = clock_type::now();
  boss.primary.fork();
  boss.run([&](prong::event& what) {
    if (!std::holds_alternative<prong::worker_listening>(what)) return;
    result.push_back(milliseconds_since(begin));
    if (result.size() == workers) return boss.context.stop();
    begin = clock_type::now();
    boss.primary.fork();
  });
  return result;
}

/// Kills each worker of a pool once, and waits for its replacement.
std::vector<double> measure_replacements(std::size_t workers) {
  std::vector<double> result;
  prong::options how;
  how.workers = workers;
  observed_primary boss(how);
  boss.primary.async_run([](error_code) {});
  std::vector<prong::worker_id> first;
  auto begin = clock_type::now();
  boss.run([&](prong::event& what) {
    auto const* const listening = std::get_if<prong::worker_listening>(&what);
    if (!listening) return;
    if (first.size() < workers)
      first.push_back(listening->id);
    else
      result.push_back(milliseconds_since(begin));
    if (first.size() < workers) return;
    if (result.size() == workers) return boss.context.stop();
    begin = clock_type::now();
    boss.primary.kill(first[result.size()]);
  });
  return result;
}

int measure_start(settings const& how) {
  if (prong::is_worker()) return listen_as_worker();
  auto const forks = measure_forks(how.workers);
  auto const replacements = measure_replacements(how.workers);
  fmt::print("{{\"fork_ms\": [{:.3f}], \"replace_ms\": [{:.3f}]}}\n", fmt::join(forks, ", "),
             fmt::join(replacements, ", "));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings how;
  CLI::App app("Measures messages and the start of workers.", "bench_cluster");
  app.require_subcommand(1);
  auto* const messages = app.add_subcommand("messages", "Messages to a worker and back");
  messages->add_option("--size", how.size, "Bytes of a message");
  messages->add_option("--in-flight", how.in_flight, "How many are on their way at once");
  messages->add_option("--seconds", how.seconds, "How long");
  auto* const start = app.add_subcommand("start", "From fork, and from a death, to listening");
  start->add_option("--workers", how.workers, "How many workers");
  CLI11_PARSE(app, argc, argv);
  try {
    return messages->parsed() ? measure_messages(how) : measure_start(how);
  } catch (std::exception const& error) {
    fmt::print(stderr, "bench_cluster: {}\n", error.what());
    return 1;
  }
}
