// The order of a rolling reload.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/rolling_reload.hpp"

namespace prong::core {

std::uint64_t rolling_reload::request() {
  return requested_ = number_ + 1;
}

bool rolling_reload::begin(std::vector<worker_id> const& old) {
  if (active_ || requested_ <= number_) return false;
  number_ = requested_;
  active_ = true;
  old_.assign(old.begin(), old.end());
  return true;
}

std::optional<worker_id> rolling_reload::next_old() {
  if (old_.empty()) return std::nullopt;
  auto const first = old_.front();
  old_.pop_front();
  return first;
}

std::uint64_t rolling_reload::end() {
  active_ = false;
  old_.clear();
  step_.reset();
  return number_;
}

std::uint64_t rolling_reload::abandon() {
  end();
  return number_ = requested_;
}

}  // namespace prong::core
