// The seam: the steady clock by which everything in prong waits. It is a seam so that the
// simulation owns time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/wait_traits.hpp>
#include <chrono>

namespace prong::os {

struct clock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
  /// How long the reactor may really sleep when `wanted` is left: all of it, or nothing in the
  /// simulation, whose time moves by itself.
  static duration sleep_for(duration wanted) noexcept;
};

using timer = boost::asio::basic_waitable_timer<clock>;

}  // namespace prong::os

template <>
struct boost::asio::wait_traits<prong::os::clock> {
  using duration = prong::os::clock::duration;
  static duration to_wait_duration(duration const& wanted) {
    return prong::os::clock::sleep_for(wanted);
  }
  static duration to_wait_duration(prong::os::clock::time_point const& deadline) {
    return prong::os::clock::sleep_for(deadline - prong::os::clock::now());
  }
};
