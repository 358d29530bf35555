// The order of a rolling reload: one worker after the other is replaced, and a request that comes
// during a reload is served by one more reload after it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/types.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace prong::core {

class rolling_reload {
 public:
  /// One worker on its way to be replaced.
  struct step {
    worker_id old{};
    worker_id replacement{};
    std::size_t listeners = 0;  // how many the replacement must have to be ready
    time_point deadline = never;
  };

  /// The number of the reload that will serve a request made now.
  std::uint64_t request();
  bool active() const noexcept { return active_; }
  std::uint64_t number() const noexcept { return number_; }

  /// Begins the reload that was asked for, with these workers to replace. False if none was.
  bool begin(std::vector<worker_id> const& old);
  std::optional<worker_id> next_old();
  void set_step(step what) { step_ = what; }
  std::optional<step> const& current() const noexcept { return step_; }
  void step_done() { step_.reset(); }
  /// Ends the reload, and returns its number.
  std::uint64_t end();
  /// Forgets all requests, and returns the number of the last one.
  std::uint64_t abandon();

 private:
  bool active_ = false;
  std::uint64_t number_ = 0;     // of the reload that runs, or ran last
  std::uint64_t requested_ = 0;  // of the last one that was asked for
  std::deque<worker_id> old_;
  std::optional<step> step_;
};

}  // namespace prong::core
