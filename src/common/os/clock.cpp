// The real clock, which is the same on every system; the simulation has its own.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/clock.hpp"

#include "common/os/completing.hpp"

#include <boost/asio/steady_timer.hpp>

namespace prong::os {

clock::time_point clock::now() noexcept {
  return std::chrono::steady_clock::now();
}

class timer::impl {
 public:
  explicit impl(asio::any_io_executor const& executor) : real(executor) {}

  asio::steady_timer real;
};

timer::timer(asio::any_io_executor executor) : impl_(std::make_unique<impl>(executor)) {}
timer::~timer() = default;

void timer::async_wait_until(clock::time_point when, detail::handler<void(error_code)> completion) {
  impl_->real.expires_at(when);
  impl_->real.async_wait(without_associations(std::move(completion)));
}

void timer::cancel() noexcept {
  impl_->real.cancel();
}

}  // namespace prong::os
