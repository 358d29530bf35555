// How a primary runs its workers. Every field has a default that suits a server; a value that
// cannot be meant makes the primary's constructor fail with `errc::invalid_option` and a text
// that names the field.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prong {

/// Who accepts a connection, and which worker serves it.
/// The environment variable PRONG_SCHED_POLICY, which has the name of one of them, or `rr` for
/// `round_robin` or `none` for `shared`, overrides the option, as NODE_CLUSTER_SCHED_POLICY does in
/// Node.
enum class scheduling {
  /// As Node: `shared` on Windows, `round_robin` elsewhere.
  platform_default,
  /// The primary accepts, and hands connections in turn to workers with room. The most even where
  /// connections are alike. What a worker does not take because something blocks its event loop
  /// goes to one that has nothing to do (`options::recall_after`); so with `least_connections`.
  round_robin,
  /// The workers accept on one shared listening socket, and the primary has no part in it. Who of
  /// them gets a connection is up to the system; under load a worker that is more than 32 ahead of
  /// another lets the others go first, for a quarter of a millisecond at a time.
  shared,
  /// Each slot (`worker_info::slot`) has a listening socket of its own, among which the system
  /// divides the connections of a port (SO_REUSEPORT), and its worker accepts on it. The most
  /// connections a second, with many processors. The primary opens the sockets and keeps them, so
  /// that what waits in one at its worker's death, or in a reload, is its successor's; until then
  /// nobody else takes it. When a slot goes for good what waits there is reset by the system. Linux
  /// and FreeBSD; elsewhere the primary's constructor fails with `errc::not_supported`. UDP, local
  /// sockets and `primary_socket` are as with `shared`. Another program of the same user can take
  /// part of a port's connections, if it asks for SO_REUSEPORT as well.
  sharded,
  /// The primary accepts, and hands each connection to the worker with room that has the fewest:
  /// open ones, as `acceptor::count_connection` counts them, and those on their way. Among equals
  /// in turn. For connections that live long, and not equally long. Where a program counts none it
  /// is round robin.
  least_connections,
  /// The primary accepts, and all connections of one source address go to one worker: to one slot
  /// (`worker_info::slot`), so that a reload, or a death and its successor, move nobody for long.
  /// While a slot has no worker its clients, and nobody else's, go to others. A connection waits
  /// for
  /// its worker even if others are idle. For sessions in a worker's memory. What has no address, as
  /// the client of a local socket, goes anywhere.
  sticky,
  /// The primary accepts, and `options::choose_worker` says who gets the connection.
  custom,
};

/// A worker that has room for a connection, as `options::choose_worker` sees it.
struct candidate {
  worker_id id{};
  std::size_t slot = 0;  ///< see `worker_info::slot`
  /// How many connections it has: open ones, as `acceptor::count_connection` counts them, and those
  /// on their way.
  std::size_t connections = 0;
};

/// Which of these workers, by id, gets a connection of this client. There is at least one.
using worker_choice = std::function<std::optional<worker_id>(asio::ip::tcp::endpoint const& client,
                                                             std::span<candidate const> workers)>;

/// When dead workers of the pool are replaced, and when the primary stops trying for a while.
struct respawn_limits {
  /// The first death of a worker is answered at once; when its successors die young too, each
  /// waits twice as long as the one before, up to `max_delay`, with a random part of up to a half.
  duration initial_delay{50};
  duration max_delay{2'000};
  /// A worker that lived this long is no longer young.
  duration stable_after{10'000};
  /// More deaths than this within `interval` stop all respawning, and `respawn_suspended` says
  /// so. 0: ten for each worker of the pool, at least 20. Deliberate stops do not count.
  std::size_t max_deaths = 0;
  duration interval{10'000};
  /// Respawning starts afresh after this time; `respawn_resumed` says so.
  duration revive_after{15'000};
};

enum class log_level { debug, info, warning, error };

/// What a worker has as its standard input, output or error.
enum class stdio {
  inherit,  ///< what the primary has
  null,     ///< nothing to read; what is written is thrown away
  pipe,     ///< of output and error: each line reaches the primary, as `worker_output`
};

/// How a worker's process is started. Each field may be given for all workers
/// (`options::worker`, `primary::setup`), and again for one (`primary::fork`), where it wins.
struct fork_options {
  /// The worker's program; empty: this one, by the path it was started with, so that a reload
  /// takes the file that lies there then. A relative path is relative to where the primary is
  /// when it is given the options.
  std::filesystem::path executable{};
  /// The worker's arguments without the program's name; none given: those of this process.
  std::optional<std::vector<std::string>> arguments{};
  /// Variables that the worker has beside those of the primary, or in their place. The later of
  /// two values for one name wins.
  std::vector<std::pair<std::string, std::string>> environment{};
  /// Where the worker begins; empty: where the primary is when it starts it. Relative as
  /// `executable` is.
  std::filesystem::path working_directory{};

  /// Not given: `inherit`. Nothing can be written to a worker's input, so that it cannot be
  /// `pipe`: messages are for that.
  std::optional<stdio> input{};
  std::optional<stdio> output{};
  std::optional<stdio> error_output{};

  /// The numbers of the user and the group that the worker runs as; not given: the primary's. It
  /// has no other groups then. The primary must have the right to change them, or the start fails.
  /// On Windows giving one is the error `errc::not_supported`.
  std::optional<unsigned> user{};
  std::optional<unsigned> group{};

  /// Windows: a worker that is a console program opens no window. Elsewhere none ever does.
  std::optional<bool> hide_window{};
};

struct options {
  /// The size of the pool that `async_run` keeps alive. 0: no pool, workers come from `fork` only
  /// and nobody replaces them, as in Node. `available_parallelism()` suits most servers.
  std::size_t workers = 0;

  prong::scheduling scheduling = prong::scheduling::platform_default;

  /// Of `scheduling::custom`. Where it gives none, or a worker that is not among them, the
  /// connection waits, without holding up others, and the function is asked again when a worker has
  /// room anew or another number of connections; so the name of a busy worker means to wait for it.
  /// The client of a local socket has no address.
  /// Called on the primary's executor; it must neither throw nor call the primary.
  worker_choice choose_worker{};

  /// Of `scheduling::sticky` and `custom`: whether each connection begins with a PROXY protocol
  /// header, version 1 or 2. Then the source address in it is the client's. The primary only looks
  /// at the header: the worker reads it, as the first bytes of its connection. Where it says LOCAL
  /// or UNKNOWN the address is that of the connection. One that is no header, or is not there after
  /// 3 seconds, closes the connection; until then it counts as one that waits (see
  /// `max_pending_connections`). To be set only where nobody but proxies can connect.
  bool proxy_protocol = false;

  /// How workers are started, where `primary::fork` says nothing else. `primary::setup` changes it.
  fork_options worker{};

  respawn_limits respawn{};

  /// How long a worker may take to construct its `worker` object, and a reload's replacement to
  /// listen. It is killed then.
  duration start_timeout{10'000};
  /// How long a worker may drain. It is killed then.
  duration stop_timeout{30'000};

  /// What happens to a port while no worker listens on it because all have died or drain.
  /// true: it stays open, and connections wait for the next worker, in the bounds of
  /// `max_pending_connections` and the backlog. false: it closes, as Node's does.
  /// Not given: true with a pool, false without.
  std::optional<bool> keep_ports_open{};

  /// How many accepted connections may wait in the primary, for each port, until a worker has
  /// room. At the bound the primary stops accepting, and the kernel's backlog fills.
  std::size_t max_pending_connections = 128;

  /// How many connections may be on their way to one worker's acceptor. 1 keeps every waiting
  /// connection where any worker can get it, which gives the best latency when workers block; more
  /// saves round trips when connections are many and short. 0: each worker begins with 1, asks for
  /// up to 64 while connections queue and its event loop turns fast, and for 1 again when a handler
  /// held its loop up.
  std::size_t window = 0;

  /// How long a worker may leave a connection that it was given and has not taken, while another
  /// one has nothing to do: after this time at the latest, and half of it at the earliest, that one
  /// gets it. 0: for ever, and who gets a connection does not depend on how busy the machine is.
  /// For `scheduling::round_robin` and `least_connections`.
  duration recall_after{2};

  /// How many events wait for `async_next_event`. At the bound the oldest is dropped, and
  /// `events_lost` stands in its place. Messages and lines of output are not among them: a worker
  /// whose messages or lines nobody takes has to wait.
  std::size_t max_queued_events = 4'096;

  /// Receives what the library has to say; called on the primary's executor. Never throws.
  std::function<void(log_level, std::string_view)> log{};
};

/// The least of this machine's hardware threads, the CPUs that this process may run on, and its
/// container's quota; at least 1. May be called from any thread.
std::size_t available_parallelism() noexcept;

}  // namespace prong
