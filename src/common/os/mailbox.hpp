// Frames without payload that a worker leaves for its primary in memory that both see: no system
// call, and nobody is woken. Both backends keep one beside each channel.
//
// What was left stays if the process that left it dies at once. The reader trusts nothing here but
// its own position.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/channel.hpp"

#include <prong/error.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace prong::os {

class mailbox {
 public:
  /// How many frames may be there that nobody has taken.
  static constexpr std::uint32_t capacity = 1024;

  /// What both processes see; all zero at first.
  struct memory {
    alignas(64) std::atomic<std::uint32_t> left;   // so many, in all, modulo 2^32
    alignas(64) std::atomic<std::uint32_t> taken;  // the same
    std::array<std::array<std::byte, wire::header_size>, capacity> frames;
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  mailbox(void* mapped, side ours) noexcept
      : memory_(std::launder(static_cast<memory*>(mapped))), side_(ours) {}

  /// False when there is no room.
  bool leave(wire::frame_header const& frame) noexcept {
    auto const left = memory_->left.load(std::memory_order_relaxed);
    if (left - memory_->taken.load(std::memory_order_acquire) >= capacity) return false;
    frame.encode(memory_->frames[left % capacity]);
    memory_->left.store(left + 1, std::memory_order_release);
    return true;
  }

  /// The next frame that was left for this end; false if there is none. What no worker of ours
  /// leaves is `errc::protocol_error`.
  bool take(received& into, error_code& failure) noexcept {
    if (side_ == side::worker) return false;
    auto const left = memory_->left.load(std::memory_order_acquire);
    if (left == taken_) return false;
    auto const frame = wire::frame_header::decode(memory_->frames[taken_ % capacity]);
    if (left - taken_ > capacity || frame.length != 0 || frame.flags != 0) {
      failure = errc::protocol_error;
      return false;
    }
    memory_->taken.store(++taken_, std::memory_order_release);
    into.frame = {frame, {}};
    into.attached.reset();
    return true;
  }

 private:
  memory* memory_;
  side side_;
  std::uint32_t taken_ = 0;
};

}  // namespace prong::os
