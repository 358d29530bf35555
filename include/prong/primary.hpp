// The primary: starts workers, gives them their listening ports and connections, and watches them.
//
// Two ways to run one. By hand, as with Node's cluster: call `fork` for each worker; who dies is
// not replaced. Supervised: set `options::workers` and call `async_run`, which keeps that many
// alive. Both can be mixed.
//
// Guarantees: a connection that a worker has not taken is given to another when the worker dies.
// When the primary ends, in whatever way, its workers end too. The destructor kills and reaps
// all workers. No signal handler, signal mask or other state of the process is touched.
//
// Threads: as for Asio's own I/O objects. Distinct objects may be used at the same time, one
// object may not; completion handlers run on their associated executor, or else on the primary's.
// With several threads in one `io_context`, construct the primary with a strand and use it there.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/error.hpp>
#include <prong/event.hpp>
#include <prong/message.hpp>
#include <prong/options.hpp>

#include <boost/asio/execution_context.hpp>
#include <concepts>
#include <memory>
#include <vector>

namespace prong {

namespace detail {
class primary_impl;
}

class primary {
 public:
  using executor_type = asio::any_io_executor;

  /// Checks the options and does nothing else. Throws `boost::system::system_error` with
  /// `errc::invalid_option` or `errc::not_supported` and the name of the option, or with the
  /// system's error when this program's own path is needed and cannot be found.
  explicit primary(executor_type executor, prong::options settings = {});
  /// The same, with the executor of an execution context.
  template <class ExecutionContext>
  requires std::derived_from<ExecutionContext, asio::execution_context>
  explicit primary(ExecutionContext& context, prong::options settings = {})
      : primary(executor_type(context.get_executor()), std::move(settings)) {}

  primary(primary&&) noexcept;
  primary& operator=(primary&&) noexcept;
  /// Kills and reaps every worker; pending operations complete with `operation_aborted`.
  ~primary();

  executor_type get_executor() const;
  /// As given to the constructor, and since changed by `setup`. The paths are absolute.
  prong::options const& settings() const noexcept;

  /// Changes `options::worker` for every worker that is started from now on, those of the pool and
  /// of reloads too, as `cluster.setupPrimary`: the fields that are given win over what was said
  /// before, the environment name by name. Reports `primary_setup`. Throws `errc::invalid_option`
  /// or `errc::not_supported` with the name of the field, or `errc::shutting_down`; nothing is
  /// changed then.
  void setup(fork_options changes);
  /// The same; `ec` instead of an exception.
  void setup(fork_options changes, error_code& ec);

  /// Starts a worker, as `cluster.fork`. The fields that are given win over `options::worker`, for
  /// this worker and those that replace it in a reload. Events tell what becomes of it, a failed
  /// start included: what only the system can know, as that a directory does not exist, is the
  /// error of its `worker_exited`. Throws `errc::invalid_option` or `errc::not_supported` with the
  /// name of the field, and `errc::shutting_down` after `async_shutdown`.
  worker_id fork(fork_options settings = {});
  /// The same; `ec` instead of an exception, and then the id 0.
  worker_id fork(fork_options settings, error_code& ec);

  /// Ends a worker's process at once: SIGKILL, or TerminateProcess. `errc::no_such_worker`.
  void kill(worker_id id, error_code& ec);
  void kill(worker_id id);

  /// Changes the size of the pool: starts workers, or asks the surplus to drain. Does nothing
  /// after `async_shutdown`.
  void resize(std::size_t workers);

  /// Every worker whose `worker_exited` has not been reported yet, by id.
  std::vector<worker_info> workers() const;

  /// Starts the pool and keeps it alive. Completes after `async_shutdown` has, or with
  /// `errc::already_running`. Signature: void(error_code).
  /// Cancellation: total and partial shut down gracefully, terminal kills the workers; the
  /// operation then completes with `operation_aborted` when all are gone.
  template <class Token>
  auto async_run(Token&& token) {
    return detail::initiate<void(error_code)>(
        std::forward<Token>(token), [this](auto completion) { start_run(std::move(completion)); });
  }

  /// The next event. Signature: void(error_code, event).
  /// Completes with `operation_aborted` when no more will come: after the shutdown. Cancellation:
  /// all kinds; no event is lost. Several may wait; each event goes to one of them. Up to 16 events
  /// that are there may be delivered before other handlers of the context have their turn.
  template <class Token>
  auto async_next_event(Token&& token) {
    return detail::initiate<void(error_code, event)>(
        std::forward<Token>(token),
        [this](auto completion) { start_next_event(std::move(completion)); });
  }

  /// Sends a message to a worker, with its socket if it has one. Signature: void(error_code).
  /// Completes when the operating system has it; waits while 256 messages are on the way that the
  /// worker's program has not taken. Every 16 KiB of a message counts as one more, and a socket as
  /// three. Errors: `no_such_worker`; `worker_gone` if the worker ends or drains first;
  /// `message_too_large`; `queue_full` when 256 sends wait already. The socket is closed here in
  /// each case. Cancellation: all kinds, while the message waits.
  template <class Token>
  auto async_send(worker_id to, message what, Token&& token) {
    return detail::initiate<void(error_code)>(
        std::forward<Token>(token), [this, to, text = std::move(what)](auto completion) mutable {
          start_send(to, std::move(text), std::move(completion));
        });
  }

  /// Asks one worker to drain, and completes when its process has ended; kills it after
  /// `options::stop_timeout`. A worker of the pool is replaced. Signature: void(error_code).
  /// Errors: `no_such_worker`. Cancellation: all kinds; only the waiting ends, not the drain.
  template <class Token>
  auto async_disconnect(worker_id id, Token&& token) {
    return detail::initiate<void(error_code)>(
        std::forward<Token>(token),
        [this, id](auto completion) { start_disconnect(id, std::move(completion)); });
  }

  /// Asks all workers to drain, the pool's included, which is then of size 0, and completes when
  /// the last one has ended. The primary can be used again. Signature: void(error_code).
  template <class Token>
  auto async_disconnect(Token&& token) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      start_disconnect_all(std::move(completion));
    });
  }

  /// Replaces all workers, one after the other: a new one is started, and when it has as many
  /// listening acceptors as the old one, the old one drains. Signature: void(error_code).
  /// Completes when the last old worker has been asked to drain. If a replacement ends before it
  /// is ready, or is not ready within `options::start_timeout`, the reload stops there: old
  /// workers that are not replaced yet stay, and it completes with `replacement_failed` or
  /// `start_timeout`. A reload that is asked for during a reload runs after it, once for all that
  /// ask meanwhile. `operation_aborted` on shutdown. Cancellation: only the waiting ends.
  template <class Token>
  auto async_reload(Token&& token) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      start_reload(std::move(completion));
    });
  }

  /// Closes the ports, asks all workers to drain, and completes when the last has ended; kills
  /// those that need more than `options::stop_timeout`. Nothing can be started afterwards.
  /// Signature: void(error_code). Cancellation: terminal kills all workers at once; other kinds
  /// end the waiting only.
  template <class Token>
  auto async_shutdown(Token&& token) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      start_shutdown(std::move(completion));
    });
  }

 private:
  void start_run(detail::handler<void(error_code)> completion);
  void start_next_event(detail::handler<void(error_code, event)> completion);
  void start_send(worker_id to, message what, detail::handler<void(error_code)> completion);
  void start_disconnect(worker_id id, detail::handler<void(error_code)> completion);
  void start_disconnect_all(detail::handler<void(error_code)> completion);
  void start_reload(detail::handler<void(error_code)> completion);
  void start_shutdown(detail::handler<void(error_code)> completion);

  std::shared_ptr<detail::primary_impl> impl_;
};

}  // namespace prong
