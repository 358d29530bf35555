// An HTTP server that says hello from several worker processes on one port.
//
// The first process is the primary: it starts the workers, prints what happens to them, and obeys
// its host: a terminal, or systemd (see hello_http.service). The workers serve, and print nothing.
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
  explicit server(command_line const& settings)
      : host_(context_), primary_(context_, options_of(settings)) {}

  /// Returns the exit status.
  int run() {
#if defined(SIGPIPE)
    asio::signal_set caught(context_, SIGPIPE);  // nobody reads what we print: no reason to end
#endif
    say(stdout, "Primary {} is running", prong::this_process());
    prong::hosting how;
    how.on_event = [this](prong::event const& event) {
      std::visit([this](auto const& what) { on(what); }, event);
    };
    how.on_request = [this](prong::host_request what) { on(what); };
    how.on_reloaded = [this](error_code ec) { on_reloaded(ec); };
    int status = 1;
    host_.async_run(primary_, how, [&](error_code ec) { status = ec ? 1 : 0; });
    context_.run();
    return status;
  }

 private:
  static prong::options options_of(command_line const& settings) {
    prong::options result;
    result.workers = settings.workers;
    result.scheduling = settings.scheduling;
    return result;
  }

  void on(prong::host_request what) {
    if (what == prong::host_request::stop) {
      bool const again = std::exchange(stopping_, true);
      say(stdout, "{}", again ? "Stopping at once" : "Stopping; once more to stop at once");
    } else if (what == prong::host_request::reload && !stopping_) {
      say(stdout, "Reloading");
      ++reloads_;
    }
  }

  void on_reloaded(error_code ec) {
    --reloads_;
    if (ec)
      say(stdout, "Reload failed, workers that were not replaced stay: {}", ec.message());
    else
      say(stdout, "Reloaded");
  }

  void on(prong::worker_online const& what) {
    say(stdout, "Worker {} started", what.process);
  }

  void on(prong::worker_listening const& what) {
    if (std::exchange(listening_, true)) return;
    say(stdout, "listening on http://{}", to_string(what.endpoint));
  }

  void on(prong::worker_listen_failed const& what) {
    if (stopping_) return;  // another worker's failure was the first
    say(stderr, "hello_http: cannot listen on {}", prong::describe(what));
    stopping_ = !listening_;
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
  prong::host host_;
  prong::primary primary_;
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
    return prong::is_worker() ? serve_http(settings->where, say_hello) : server(*settings).run();
  } catch (std::exception const& error) {
    say(stderr, "hello_http: {}", error.what());
    return 1;
  }
}
