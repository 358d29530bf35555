// The errors that prong itself can report. Errors of the operating system pass through in
// `boost::system::system_category()`; an operation that was cancelled, or ended because its
// worker or primary drains, completes with `boost::asio::error::operation_aborted`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <type_traits>

namespace prong {

enum class errc {
  not_a_worker = 1,    ///< this process was not started by a primary
  no_such_worker,      ///< no living worker has this id
  worker_gone,         ///< the worker ended, or began to drain, before the operation was done
  primary_gone,        ///< the primary ended, or the channel to it
  protocol_mismatch,   ///< primary and worker speak no common version of the protocol
  protocol_error,      ///< the other side sent what the protocol does not allow
  start_timeout,       ///< a worker was not ready within `options::start_timeout`
  stop_timeout,        ///< a worker did not end in time, and was killed
  replacement_failed,  ///< a reload's new worker ended before it was ready; the old one stays
  message_too_large,   ///< a message's body is over 1 MiB, or its topic over 64 KiB
  queue_full,          ///< as many operations as may wait are waiting
  already_running,     ///< `async_run` was called twice
  shutting_down,       ///< the primary is on its way out and starts nothing new
  invalid_option,      ///< an option has a value that cannot be meant
  not_supported,       ///< not possible on this platform, or in this process
};

/// The category of `errc`; its name is "prong".
boost::system::error_category const& category() noexcept;
error_code make_error_code(errc value) noexcept;

}  // namespace prong

template <>
struct boost::system::is_error_code_enum<prong::errc> : std::true_type {};
