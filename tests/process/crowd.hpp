// Many clients at once, and what became of their requests.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "process/serving.hpp"

#include <functional>

namespace prong::test {

/// Clients that make one request after the other, each on a new connection, until none is left.
class crowd {
 public:
  crowd(fixture& owner, tcp::endpoint to, int clients, int requests = 1'000'000);

  bool finished() const noexcept { return running() == 0; }
  int running() const noexcept { return clients_ - finished_; }
  /// No client makes another request.
  void stop() noexcept { left = 0; }

  int left;  ///< requests that are still to be made
  int answered = 0;
  int taken = 0;      ///< a worker had greeted, and the connection ended before the answer
  int forgotten = 0;  ///< the connection ended before anybody greeted
  int refused = 0;    ///< the port was not open
  std::function<void()> on_request;

 private:
  awaitable<void> request();
  awaitable<void> one_after_the_other();

  tcp::endpoint port_;
  int clients_;
  int finished_ = 0;
};

}  // namespace prong::test
