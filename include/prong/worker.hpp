// A worker's own end: its identity, messages with the primary, and the way out.
//
// Construct one in a process for which `is_worker()` holds, and acceptors with it. In a process
// that no primary started the object is *standalone*: acceptors listen by themselves, and the
// same program runs without a cluster, in a debugger or a test.
//
// When the primary asks the worker to drain, its acceptors' operations complete with
// `operation_aborted`, messages end, and nothing of prong keeps `io_context::run()` alive any
// more: the process ends by itself when the program's last connection ends. When the primary is
// lost, the same happens, and the process is ended within a second.
//
// Threads: as for `primary`; a worker's acceptors share its executor.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>
#include <prong/error.hpp>
#include <prong/message.hpp>

#include <boost/asio/execution_context.hpp>
#include <concepts>
#include <memory>

namespace prong {

/// Whether a primary started this process. The answer does not change.
bool is_worker() noexcept;
inline bool is_primary() noexcept {
  return !is_worker();
}

/// This process's number, by which events and `worker_info` name it.
process_id this_process() noexcept;

namespace detail {
class worker_impl;
}

class worker {
 public:
  using executor_type = asio::any_io_executor;

  /// Opens the channel that the primary left in the environment, and removes prong's variables
  /// from there, so that programs started from here are not taken for workers. Throws
  /// `boost::system::system_error` if the variables are there but the channel is not.
  /// A process has one primary: construct at most one worker that is not standalone.
  explicit worker(executor_type executor);
  template <class ExecutionContext>
  requires std::derived_from<ExecutionContext, asio::execution_context>
  explicit worker(ExecutionContext& context) : worker(executor_type(context.get_executor())) {}
  /// For tests of the library: a worker around parts that are already there.
  explicit worker(std::shared_ptr<detail::worker_impl> impl) noexcept;

  worker(worker&&) noexcept;
  worker& operator=(worker&&) noexcept;
  /// Ends the channel; pending operations complete with `operation_aborted`.
  ~worker();

  executor_type get_executor() const;

  /// The id by which the primary knows this worker; 0 if standalone.
  worker_id id() const noexcept;
  bool is_standalone() const noexcept;
  /// Whether the worker drains.
  bool is_stopping() const noexcept;

  /// The next message of the primary. Signature: void(error_code, message).
  /// `operation_aborted` once the worker drains, `errc::primary_gone` if the primary is lost.
  /// Standalone, it waits until it is cancelled. Cancellation: all kinds; no message is lost. Up to
  /// 16 messages that are there may be delivered before other handlers of the context have their
  /// turn.
  template <class Token>
  auto async_receive(Token&& token) {
    return detail::initiate<void(error_code, message)>(
        std::forward<Token>(token),
        [this](auto completion) { start_receive(std::move(completion)); });
  }

  /// Sends a message to the primary, with its socket if it has one; there it is an event.
  /// Signature: void(error_code).
  /// Completes when the operating system has it; waits while 256 messages are on the way that the
  /// primary's program has not taken. Every 16 KiB of a message counts as one more, and a socket as
  /// three. Errors: `message_too_large`, `queue_full` when 256 sends wait already, `primary_gone`,
  /// `not_a_worker` if standalone, `operation_aborted` once the worker drains. The socket is closed
  /// here in each case.
  /// Cancellation: all kinds, while the message waits.
  template <class Token>
  auto async_send(message what, Token&& token) {
    return detail::initiate<void(error_code)>(
        std::forward<Token>(token), [this, text = std::move(what)](auto completion) mutable {
          start_send(std::move(text), std::move(completion));
        });
  }

  /// Completes when the worker begins to drain, at once if it does already: the moment to close
  /// idle connections. Signature: void(error_code). Cancellation: all kinds.
  template <class Token>
  auto async_wait_stop(Token&& token) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      start_wait_stop(std::move(completion));
    });
  }

  /// Drains of the worker's own accord, as Node's `worker.disconnect()` in a worker: closes the
  /// acceptors, gives back what they have not taken, tells the primary, ends the channel, and
  /// completes then. The primary reports `exited_after_disconnect`. Signature: void(error_code).
  template <class Token>
  auto async_disconnect(Token&& token) {
    return detail::initiate<void(error_code)>(std::forward<Token>(token), [this](auto completion) {
      start_disconnect(std::move(completion));
    });
  }

  /// For the library's acceptors.
  std::shared_ptr<detail::worker_impl> const& impl() const noexcept { return impl_; }

 private:
  void start_receive(detail::handler<void(error_code, message)> completion);
  void start_send(message what, detail::handler<void(error_code)> completion);
  void start_wait_stop(detail::handler<void(error_code)> completion);
  void start_disconnect(detail::handler<void(error_code)> completion);

  std::shared_ptr<detail::worker_impl> impl_;
};

}  // namespace prong
