// The seam: the steady clock by which everything in prong waits, and a timer that goes by it. They
// are a seam so that the simulation owns time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>

#include <chrono>
#include <memory>

namespace prong::os {

struct clock {
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  static time_point now() noexcept;
};

class timer {
 public:
  explicit timer(asio::any_io_executor executor);
  timer(timer const&) = delete;
  timer& operator=(timer const&) = delete;
  ~timer();

  /// Completes at `when`. A wait that is pending completes with `asio::error::operation_aborted`.
  void async_wait_until(clock::time_point when, detail::handler<void(error_code)> completion);
  void async_wait_for(clock::duration time, detail::handler<void(error_code)> completion) {
    async_wait_until(clock::now() + time, std::move(completion));
  }
  /// Completes a pending wait with `asio::error::operation_aborted`.
  void cancel() noexcept;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace prong::os
