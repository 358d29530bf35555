// How many connections each worker has taken from each queue that workers share, in memory that all
// of them see: no system call, and the primary has no part in it. Whoever is ahead lets the others
// go first for a moment; so the system's scheduler, which wakes whom it likes, does not decide who
// works.
//
// Nothing here is trusted: what a worker may write can cost the others no more than such moments.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/turns_memory.hpp"

#include <prong/event.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace prong {

/// One worker's view of one queue.
class turns {
 public:
  /// How far a worker may be ahead: less costs connections, as fewer are taken in a row.
  static constexpr std::uint32_t most_ahead = 32;
  /// How far one can fall behind and still be waited for, so that a worker that was busy for long
  /// is not given all that arrives for as long.
  static constexpr std::uint32_t most_behind = 256;

  /// Begins where the foremost is: what was taken before does not count.
  turns(std::shared_ptr<os::turn_counts> shared, std::uint32_t queue, worker_id own) noexcept
      : memory_(std::move(shared)),
        all_(memory_->taken[queue % os::turn_counts::queues].data()),
        own_(static_cast<std::uint32_t>(own) % workers) {
    for (std::size_t at = 0; at < workers; ++at) {
      seen_[at] = all_[at].load(std::memory_order_relaxed);
      // 0 is the count of a worker that never was.
      bool const counts = seen_[at] != 0;
      if (counts && (taken_ == 0 || is_before(taken_, seen_[at]))) taken_ = seen_[at];
    }
    if (taken_ == 0) taken_ = 1;
    lowest_ = taken_;
    publish();
  }

  void took() noexcept {
    ++taken_;
    publish();
  }

  /// Whether this worker should let others go first. Of others only those count that have taken
  /// anything since it last did so: who is blocked or dead holds up nobody twice.
  bool is_ahead() noexcept {
    if (taken_ - lowest_ <= most_ahead) return false;
    look_around();
    if (taken_ - lowest_ <= most_ahead) return false;
    for (std::size_t at = 0; at < workers; ++at)
      seen_[at] = all_[at].load(std::memory_order_relaxed);
    return true;
  }

 private:
  static constexpr auto workers = os::turn_counts::workers;

  // Counts begin anew after the highest one.
  static bool is_before(std::uint32_t one, std::uint32_t other) noexcept {
    return static_cast<std::int32_t>(one - other) < 0;
  }
  void publish() noexcept { all_[own_].store(taken_, std::memory_order_relaxed); }
  void look_around() noexcept;

  std::shared_ptr<os::turn_counts> memory_;
  std::atomic<std::uint32_t>* all_;  // counts of the queue
  std::size_t own_;
  std::uint32_t taken_ = 0;
  std::uint32_t lowest_ = 0;                   // of all that counted when it looked last
  std::array<std::uint32_t, workers> seen_{};  // when it last let others go first
};

inline void turns::look_around() noexcept {
  auto foremost = taken_, last = taken_;
  for (std::size_t at = 0; at < workers; ++at) {
    auto const other = all_[at].load(std::memory_order_relaxed);
    if (at == own_ || other == seen_[at]) continue;
    if (is_before(foremost, other)) foremost = other;
    if (is_before(other, last)) last = other;
  }
  if (foremost - taken_ > most_behind) {
    if (last == taken_) last = foremost - most_behind;
    taken_ = foremost - most_behind;
    publish();
  }
  lowest_ = last;
}

}  // namespace prong
