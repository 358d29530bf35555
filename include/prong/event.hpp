// What happens to workers, as `primary::async_next_event` reports it, in one total order.
//
// For each worker: forked, then online, then any of listening, listen_failed and message, then
// disconnected, and exited always last, exactly once, also for a worker whose start failed. Lines
// of output may come anywhere between forked and exited.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>
#include <prong/listen_options.hpp>
#include <prong/message.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace prong {

/// A worker's process was started, or was to be: see `worker_exited::error`.
struct worker_forked {
  worker_id id{};
  process_id process = 0;
};

/// The worker's program runs and has constructed its `worker`.
struct worker_online {
  worker_id id{};
  process_id process = 0;
};

/// An acceptor of the worker listens.
struct worker_listening {
  worker_id id{};
  prong::endpoint endpoint{};  ///< with the real port
};

/// An acceptor of the worker asked for an endpoint that cannot be had. The worker knows, too.
struct worker_listen_failed {
  worker_id id{};
  prong::endpoint endpoint{};            ///< as it was asked for
  std::optional<primary_socket> from{};  ///< what it was asked for instead of an endpoint
  error_code error{};
};

/// The worker's program has sent a message.
struct worker_message {
  worker_id id{};
  prong::message message{};
};

enum class output_stream { output, error };

/// The worker has written a line to its standard output or error, which is `stdio::pipe`. Of one
/// stream nothing is lost and the order is kept. While 64 lines of it wait to be taken no more is
/// read, and in the end the worker has to wait with writing.
struct worker_output {
  worker_id id{};
  output_stream from = output_stream::output;
  /// Without its end, "\n" or "\r\n". A line of more than 64 KiB comes in pieces of that size.
  std::string line{};
};

/// The channel to the worker has ended.
struct worker_disconnected {
  worker_id id{};
};

/// The worker's process has ended, or never was.
struct worker_exited {
  worker_id id{};
  process_id process = 0;  ///< 0 if it could not be started
  int status = 0;          ///< what the process returned; 128 + `signal` if a signal ended it
  int signal = 0;          ///< the signal that ended it, or 0
  /// The worker was asked to stop, or had said that it would, as in Node.
  bool exited_after_disconnect = false;
  /// Why the primary ended it, or could not start it: the system's error, `errc::start_timeout`,
  /// `errc::stop_timeout`, `errc::protocol_error`, `errc::protocol_mismatch`. No error: it ended
  /// by itself, or by `primary::kill`.
  error_code error{};
};

/// Workers die faster than `respawn_limits` allows: none is started for the time given.
struct respawn_suspended {
  std::size_t deaths = 0;
  duration pause{};
};

/// Workers are started again.
struct respawn_resumed {};

/// `primary::setup` has changed how workers are started; `primary::settings` says to what.
struct primary_setup {};

/// Nobody took events for so long that this many were dropped here.
struct events_lost {
  std::size_t count = 0;
};

/// It can be moved and not copied: a message may own a socket.
using event = std::variant<worker_forked, worker_online, worker_listening, worker_listen_failed,
                           worker_message, worker_output, worker_disconnected, worker_exited,
                           respawn_suspended, respawn_resumed, primary_setup, events_lost>;

/// How a worker ended, in words: "exited with status 3", "was killed by signal 9",
/// "could not be started: No such file or directory".
std::string describe(worker_exited const& how);
/// What could not be had and why: "127.0.0.1:80: Permission denied".
std::string describe(worker_listen_failed const& what);

enum class worker_state {
  starting,  ///< its process was started
  online,    ///< it has constructed its `worker`
  draining,  ///< it was asked to stop: it takes nothing new, and ends when its work ends
  ending,    ///< its process or its channel has ended, and the other is about to
};

/// A worker at one moment, as `primary::workers` gives it.
struct worker_info {
  worker_id id{};
  process_id process = 0;
  worker_state state = worker_state::starting;
  std::vector<endpoint> endpoints{};  ///< where it listens
  /// A small number, from 0. Who replaces a worker, after its death or in a reload, has its number;
  /// who is forked by hand the lowest that is free.
  std::size_t slot = 0;
};

}  // namespace prong
