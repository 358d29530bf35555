// The seam: starting, watching and killing a worker's process, and what this process knows of
// itself. CONTRACT.md says what every backend must keep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"
#include "common/os/output.hpp"
#include "common/os/turns_memory.hpp"

#include <prong/options.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace prong::os {

/// The variables by which a primary tells a worker who it is. `channel::inherited` removes them,
/// and `inherited_turns` the last.
inline constexpr char worker_id_variable[] = "PRONG_WORKER_ID";
inline constexpr char channel_variable[] = "PRONG_CHANNEL";
inline constexpr char turns_variable[] = "PRONG_TURNS";

struct exit_status {
  int code = 0;    // what the process returned; 128 + signal where a signal ended it
  int signal = 0;  // 0 unless a signal ended it
};

class process {
 public:
  process(process&&) noexcept;
  process& operator=(process&&) noexcept;
  /// Reaps the process if it has exited or was told to by `kill`; never kills.
  ~process();

  /// 0 once the process is reaped: its number may be another's by then.
  process_id id() const noexcept;
  /// Completes when the process has ended. Once only.
  void async_wait(detail::handler<void(error_code, exit_status)> completion);
  /// Ends the process at once: SIGKILL, TerminateProcess. Does nothing once it is reaped.
  void kill(error_code& ec) noexcept;

  class impl;
  explicit process(std::unique_ptr<impl> made) noexcept;  // for the backend's spawn

 private:
  std::unique_ptr<impl> impl_;
};

struct program {
  std::filesystem::path executable{};
  std::vector<std::string> arguments{};                            // without the program's own name
  std::vector<std::pair<std::string, std::string>> environment{};  // added to this process's own
  std::filesystem::path working_directory{};                       // empty: this process's own
  stdio input = stdio::inherit;                                    // never a pipe
  stdio output = stdio::inherit;
  stdio error_output = stdio::inherit;
  std::optional<unsigned> user{};  // with one of them, the process has no supplementary groups
  std::optional<unsigned> group{};
  bool hide_window = false;
  std::shared_ptr<turns_memory const> turns{};  // if it takes turns with other workers
};

struct spawned {
  process child;
  channel link;
  std::optional<os::output> output{};  // if it is a pipe
  std::optional<os::output> error_output{};
};

/// Starts a worker. A program that cannot be executed fails here, and leaves no process (C7); so
/// does one for which a field cannot be had.
/// The process ends when this one ends, even if it spins or is stopped, where the system can.
std::unique_ptr<spawned> spawn(asio::any_io_executor executor, program const& what, error_code& ec);

/// How this process was started: the path by which it was found, so that a later spawn takes
/// whatever lies there then, and its arguments.
program this_program(error_code& ec);

process_id this_process() noexcept;

/// Whether a program can be started as another user here.
bool has_users() noexcept;

/// How many workers can run at once here: the least of hardware threads, CPU affinity and
/// container quota; at least 1.
std::size_t available_parallelism() noexcept;

}  // namespace prong::os
