// The real clock.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/clock.hpp"

namespace prong::os {

clock::time_point clock::now() noexcept {
  return std::chrono::steady_clock::now();
}

clock::duration clock::sleep_for(duration wanted) noexcept {
  return wanted;
}

}  // namespace prong::os
