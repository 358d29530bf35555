// An HTTP server that says hello from several worker processes on one port.
//
// The first process is the primary: it starts the workers, prints what happens to them, and obeys
// signals. The workers serve, and print nothing.
// SPDX-License-Identifier: BSL-1.0
#include "command_line.hpp"
#include "http_server.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <exception>

namespace {

// --- The worker ---------------------------------------------------------------------------------

http_response say_hello(http_request const& request) {
  auto const path = request.target().substr(0, request.target().find('?'));
  if (path != "/") return text_response(http::status::not_found, "Not found\n");
  if (request.method() == http::verb::get || request.method() == http::verb::head)
    return text_response(http::status::ok,
                         fmt::format("Hello from worker {}\n", prong::this_process()));
  auto refusal = text_response(http::status::method_not_allowed, "Method not allowed\n");
  refusal.set(http::field::allow, "GET, HEAD");
  return refusal;
}

int run_worker(command_line const& settings) {
  asio::io_context context(1);
  prong::worker self(context);
  http_server server(self, say_hello);
  error_code why;
  asio::co_spawn(context, server.run(settings.where),
                 [&](std::exception_ptr, error_code result) { why = result; });
  context.run();  // until the worker drains and its last connection has ended
  return why == asio::error::operation_aborted ? 0 : 1;
}

// --- The primary --------------------------------------------------------------------------------

/// Prints one line at once. Unlike fmt::print it does not throw when nobody reads any more.
template <class... Args>
void say(std::FILE* to, fmt::format_string<Args...> format, Args&&... args) {
  auto const line = fmt::format(format, std::forward<Args>(args)...) + '\n';
  std::fputs(line.c_str(), to);
  std::fflush(to);
}

class server {
 public:
  explicit server(command_line const& settings) : primary_(context_, options_of(settings)) {}

  /// Returns the exit status.
  int run() {
    say(stdout, "Primary {} is running", prong::this_process());
    asio::co_spawn(context_, follow_events(), asio::detached);
    asio::co_spawn(context_, obey_signals(), asio::detached);
    primary_.async_run(asio::detached);
    context_.run();
    return status_;  // the destructor of the primary kills what still runs
  }

 private:
  static prong::options options_of(command_line const& settings) {
    prong::options result;
    result.workers = settings.workers;
    result.scheduling = settings.scheduling;
    return result;
  }

  void end(int status) {
    status_ = status;
    context_.stop();
  }

  asio::awaitable<void> obey_signals() {
    asio::signal_set signals(context_, SIGINT, SIGTERM);
#if defined(SIGPIPE)
    signals.add(SIGPIPE);  // nobody reads what we print: no reason to end
#endif
#if defined(SIGHUP)
    signals.add(SIGHUP);
#endif
    for (;;) {
      int const signal = co_await signals.async_wait(asio::use_awaitable);
      if (signal == SIGINT || signal == SIGTERM) stop();
#if defined(SIGHUP)
      else if (signal == SIGHUP)
        reload();
#endif
    }
  }

  void stop() {
    if (std::exchange(stopping_, true)) {
      say(stdout, "Stopping at once");
      end(1);
      return;
    }
    say(stdout, "Stopping; once more to stop at once");
    primary_.async_shutdown(asio::detached);  // then there are no more events
  }

  void reload() {
    if (stopping_) return;
    say(stdout, "Reloading");
    ++reloads_;
    primary_.async_reload([this](error_code ec) {
      --reloads_;
      if (ec)
        say(stdout, "Reload failed, workers that were not replaced stay: {}", ec.message());
      else
        say(stdout, "Reloaded");
    });
  }

  asio::awaitable<void> follow_events() {
    for (;;) {
      error_code ec;
      auto const event =
          co_await primary_.async_next_event(asio::redirect_error(asio::use_awaitable, ec));
      if (ec) break;  // shut down
      std::visit([this](auto const& what) { on(what); }, event);
    }
    end(0);
  }

  void on(prong::worker_online const& what) {
    say(stdout, "Worker {} started", what.process);
  }

  void on(prong::worker_listening const& what) {
    if (std::exchange(listening_, true)) return;
    say(stdout, "listening on http://{}", fmt::streamed(what.endpoint));
  }

  void on(prong::worker_listen_failed const& what) {
    if (status_ != 0) return;  // another worker's failure was the first
    say(stderr, "hello_http: cannot listen on {}: {}", fmt::streamed(what.endpoint),
        what.error.message());
    if (!listening_) end(1);
  }

  void on(prong::worker_exited const& what) {
    auto const who = what.process != 0 ? fmt::format("Worker {}", what.process) : "A worker";
    bool const replaced = !what.exited_after_disconnect && !stopping_ && !suspended_;
    say(stdout, "{} {}{}", who, prong::describe(what),
        replaced && reloads_ == 0 ? "; another is started" : "");
  }

  void on(prong::respawn_suspended const& what) {
    suspended_ = true;
    say(stdout, "{} workers died too fast; none is started for {} s", what.deaths,
        std::chrono::duration_cast<std::chrono::seconds>(what.pause).count());
  }

  void on(prong::respawn_resumed const&) {
    suspended_ = false;
    say(stdout, "Workers are started again");
  }

  void on(prong::events_lost const& what) {
    say(stdout, "{} events were lost", what.count);
  }

  void on(auto const&) {}  // the rest is of no interest here

  asio::io_context context_{1};
  prong::primary primary_;
  int status_ = 0;
  int reloads_ = 0;  // that have not ended
  bool listening_ = false;
  bool stopping_ = false;
  bool suspended_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  int status = 0;
  auto const settings = parse(argc, argv, status);
  if (!settings) return status;
  try {
    return prong::is_worker() ? run_worker(*settings) : server(*settings).run();
  } catch (std::exception const& error) {
    say(stderr, "hello_http: {}", error.what());
    return 1;
  }
}
