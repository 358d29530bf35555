// Processes and sockets for the baselines, in plain system calls. Whatever fails throws.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace bench {

/// The result of a system call, or an exception with its error.
int checked(int result, char const* call);

/// A socket on 127.0.0.1 that does not block. It does not listen yet.
int bound_socket(std::uint16_t port, bool reuse_port);
void start_listening(int socket);
std::uint16_t port_of(int socket);
/// The next connection of a socket that listens; negative if there is none.
int accept_from(int listener);

/// Forked workers, which end with their primary. Constructed when all of them are ready.
class workers {
 public:
  /// Calls `body` in each worker, with its number, its end of a socket pair, and what to call when
  /// it is ready.
  using worker_body = std::function<void(std::size_t, int, std::function<void()> const&)>;
  workers(std::size_t count, worker_body const& body);
  workers(workers const&) = delete;
  workers& operator=(workers const&) = delete;
  /// Kills them.
  ~workers();

  std::vector<pid_t> const& processes() const noexcept { return processes_; }
  /// The primary's ends of the socket pairs.
  std::vector<int> const& channels() const noexcept { return channels_; }

 private:
  std::vector<pid_t> processes_{};
  std::vector<int> channels_{};
};

/// Waits for the end of standard input. With a descriptor: until that is readable, then true.
bool wait_for(int readable);
void wait_for_end();

}  // namespace bench
