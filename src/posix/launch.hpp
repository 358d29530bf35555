// fork and exec of one program.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/process.hpp"
#include "posix/fd.hpp"

#include <sys/types.h>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace prong::posix {

// The numbers that these descriptors have in a worker.
inline constexpr int channel_fd = 3;
inline constexpr int mailbox_fd = 4;
inline constexpr int turns_fd = 5;     // only if it takes turns with other workers
inline constexpr int lifeline_fd = 6;  // only where the kernel does not end orphans

/// These name the others to the worker. `channel::inherited` removes them.
inline constexpr char mailbox_variable[] = "PRONG_MAILBOX";
inline constexpr char lifeline_variable[] = "PRONG_LIFELINE";

/// What becomes a worker's `channel_fd` and `mailbox_fd`. Their numbers are above those that a
/// worker uses.
struct worker_ends {
  unique_fd channel;
  unique_fd mailbox;
};

/// What becomes a worker's standard input, output and error; empty: what this process has. Their
/// numbers are above those, too.
using standard_streams = std::array<unique_fd, 3>;

/// Everything that the new process needs, made before fork: after it, nothing may be allocated.
class launch {
 public:
  /// Fails where something cannot be said in an argument or in the environment.
  launch(os::program const& what, int lifeline, error_code& ec);
  launch(launch const&) = delete;
  launch& operator=(launch const&) = delete;

  /// Forks and executes; returns when the program runs or cannot. The system ends the process when
  /// the calling thread ends.
  pid_t start(worker_ends const& ends, standard_streams const& streams, error_code& ec) const;

 private:
  [[noreturn]] void become(worker_ends const& ends, standard_streams const& streams, int report,
                           pid_t parent) const noexcept;
  bool place(worker_ends const& ends, standard_streams const& streams) const noexcept;
  bool change_user() const noexcept;

  std::vector<std::string> texts_;  // of both arrays
  std::vector<char*> arguments_;
  std::vector<char*> environment_;
  std::string working_directory_;
  std::optional<unsigned> user_;
  std::optional<unsigned> group_;
  int turns_;     // -1: none
  int lifeline_;  // the same
};

}  // namespace prong::posix
