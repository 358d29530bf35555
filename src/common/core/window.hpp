// How many connections may be on their way to an acceptor.
//
// One gives the best latency: whatever waits, waits where any worker can get it. More save round
// trips, and those matter only while connections queue and the program takes them at once. So the
// window grows while both is so for a while, and falls when the loop was held up.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace prong::core {

class window {
 public:
  /// As many as one message can carry to a worker.
  static constexpr std::size_t largest = 64;

  /// `fixed`: always so many; 0: as it suits.
  explicit window(std::size_t fixed) noexcept : fixed_(fixed) {}

  std::size_t size() const noexcept { return fixed_ > 0 ? fixed_ : size_; }

  /// The program's loop has turned: how long that took, and whether more connections waited behind
  /// those that it took.
  void on_turn(std::chrono::nanoseconds lasted, bool more_waited) noexcept {
    if (lasted > blocked) {
      size_ = 1;
      calm_ = -calm_after_block;
    } else if (lasted > held_up) {
      size_ = std::max<std::size_t>(size_ / 2, 1);
      calm_ = 0;
    } else if (!more_waited) {
      calm_ = std::min(calm_, 0);
    } else if (++calm_ >= calm_to_grow) {
      size_ = std::min(size_ * 2, largest);
      calm_ = 0;
    }
  }

 private:
  // A handler of this length delays what is behind it by more than the round trip that it saves.
  static constexpr std::chrono::nanoseconds held_up{1'000'000};
  static constexpr std::chrono::nanoseconds blocked{5'000'000};
  // Turns in a row without either, with more connections waiting.
  static constexpr int calm_to_grow = 8;
  static constexpr int calm_after_block = 64;

  std::size_t fixed_;
  std::size_t size_ = 1;
  int calm_ = 0;
};

}  // namespace prong::core
