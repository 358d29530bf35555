// The host of a primary: whoever starts it, tells it to stop or to reload, and wants to know how it
// is. That is a terminal, systemd, or the service control manager of Windows; a program need not
// know which. Construct one `host` in `main`, before the primary, and never in a worker:
//
//   prong::host where(context);
//   prong::primary boss(context, settings);
//   where.async_run(boss, {}, [&](error_code ec) { status = ec ? 1 : 0; });
//   context.run();
//
// Constructing it takes what belongs to the whole process, and destroying it gives that back:
//
//   POSIX     the signals SIGINT and SIGTERM, which ask to stop, and SIGHUP, which asks to reload.
//             With NOTIFY_SOCKET in the environment the host is systemd: it hears when the primary
//             is ready, reloads and stops, and how it is; with WATCHDOG_USEC it hears at least
//             twice in that time that the event loop turns.
//   console   Ctrl-C and Ctrl-Break, the closing of the window, the end of the user's session, and
//             shutdown ask to stop. Of these the last three end the process within seconds.
//   service   if the service control manager has started this process: STOP and PRESHUTDOWN ask to
//             stop, PARAMCHANGE to reload, control 128 for the status; see windows_service.hpp.
//
// Threads: as for `primary`. There may be one host in a process at a time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/error.hpp>
#include <prong/event.hpp>
#include <prong/options.hpp>

#include <boost/asio/execution_context.hpp>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prong {

class primary;

/// What a host asks for.
enum class host_request {
  stop,    ///< end when everything is done; asked again: at once
  reload,  ///< replace the workers
  status,  ///< say how it is, in the log
};

/// What a program wants of `host::async_run` beside what it does anyway.
struct hosting {
  /// Ready means that each worker listens. false, for workers that never do: that each is online.
  bool workers_listen = true;
  /// Called with each event of the primary, with each request before it is obeyed, and with what
  /// came of each reload.
  std::function<void(event const&)> on_event{};
  std::function<void(host_request)> on_request{};
  std::function<void(error_code)> on_reloaded{};
};

namespace detail {
class host_impl;
}

class host {
 public:
  using executor_type = asio::any_io_executor;

  /// Throws `errc::already_running` if there is another one, or the system's error. In a service it
  /// returns when the service control manager has told the arguments of the start.
  explicit host(executor_type executor);
  template <class ExecutionContext>
  requires std::derived_from<ExecutionContext, asio::execution_context>
  explicit host(ExecutionContext& context) : host(executor_type(context.get_executor())) {}
  host(host const&) = delete;
  host& operator=(host const&) = delete;
  /// A host that was not told `stopped` takes it for a crash.
  ~host();

  executor_type get_executor() const;

  /// This program's arguments without its name, and after them those of a service's start. Give
  /// them to the workers by `options::arguments`, which would have the former only.
  std::vector<std::string> const& arguments() const noexcept;

  /// Runs `boss` as this host wants it: starts the pool, tells when all workers are ready, obeys
  /// requests, tells what happens and when the end is near, and completes when no worker is left.
  /// Takes the requests, and the events of `boss`; says in `options::log` what matters. Both
  /// objects must outlive the operation. Signature: void(error_code).
  /// Errors: what kept a worker from listening, or `errc::worker_gone` if too many died, before
  /// all were ready; `errc::already_running`; `operation_aborted` if it was to end at once.
  /// Cancellation: total and partial shut down gracefully, terminal kills the workers; it then
  /// completes with `operation_aborted` when all are gone.
  template <class Token>
  auto async_run(primary& boss, hosting settings, Token&& token) {
    return detail::initiate<void(error_code)>(
        std::forward<Token>(token),
        [this, &boss, how = std::move(settings)](auto completion) mutable {
          start_run(boss, std::move(how), std::move(completion));
        });
  }

  // The parts of `async_run`, for a program that is no pool of workers or decides differently.

  /// The next request. Signature: void(error_code, host_request). Completes with
  /// `operation_aborted` after `stopped`. Cancellation: all kinds; no request is lost.
  template <class Token>
  auto async_next_request(Token&& token) {
    return detail::initiate<void(error_code, host_request)>(
        std::forward<Token>(token),
        [this](auto completion) { start_next_request(std::move(completion)); });
  }

  /// It serves, for the first time or after a reload.
  void ready();
  /// It reloads; `ready` follows, also when that fails.
  void reloading();
  /// It ends what it has begun; `stopped` follows.
  void stopping();
  /// It is not stuck while it starts, reloads or stops: the next word comes within this time.
  void progress(duration at_most);
  /// It has ended. Without an error a host does not start it again. Requests end here.
  void stopped(error_code why = {});

  /// How it is, in one line for people.
  void status(std::string_view text);
  /// Writes to where this host keeps such lines: the event log, the journal, or the terminal's
  /// standard error. Suits `options::log`.
  void log(log_level level, std::string_view text);

 private:
  void start_run(primary& boss, hosting settings, detail::handler<void(error_code)> completion);
  void start_next_request(detail::handler<void(error_code, host_request)> completion);

  std::shared_ptr<detail::host_impl> impl_;
};

}  // namespace prong
