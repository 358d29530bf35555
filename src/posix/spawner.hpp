// The thread from which programs are started.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/calls.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace prong::posix {

/// Linux ends a worker when the THREAD that forked it ends. So there is one that does nothing else,
/// and lives as long as anybody holds the spawner: each process that it started does. It blocks
/// all signals, so that no handler of the host program ever runs on it.
class spawner : public std::enable_shared_from_this<spawner> {
 public:
  /// The one of this process; a new one where nobody holds it any more.
  static std::shared_ptr<spawner> shared(error_code& ec);

  spawner() = default;
  spawner(spawner const&) = delete;
  spawner& operator=(spawner const&) = delete;
  ~spawner();

  /// Runs `job` on the thread, and waits for it.
  void run(std::function<void()> job);
  /// Lets the thread live on for the sake of a process that nobody holds any more.
  void stay() noexcept { self_ = shared_from_this(); }
  /// What a worker inherits in order to see that this process has ended; -1 where the kernel sees
  /// to that.
  int lifeline() const noexcept { return lifeline_ ? lifeline_.get() : -1; }

 private:
  void start(error_code& ec);
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;
  bool ended_ = false;
  unique_fd lifeline_;       // a worker's end
  unique_fd lifeline_held_;  // ours; nothing is ever written to it
  std::shared_ptr<spawner> self_;
  std::thread thread_;
};

}  // namespace prong::posix
