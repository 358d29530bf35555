// Frames without payload that a worker leaves for its primary in memory that both see: no system
// call, and nobody is woken. Both backends keep one beside each channel.
//
// What was left stays if the process that left it dies at once. The reader trusts nothing here but
// its own position.
//
// The worker leaves a frame in the epoch of the offer that it answers. The primary ends an epoch
// when it knows all that was left in it: the system decides in one step which of the two was first.
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
    // The epoch in the upper half; in the lower one how many were left in all, modulo 2^32.
    alignas(64) std::atomic<std::uint64_t> state;
    alignas(64) std::atomic<std::uint32_t> taken;  // in all, modulo 2^32
    std::array<std::array<std::byte, wire::header_size>, capacity> frames;
  };
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  mailbox(void* mapped, side ours) noexcept
      : memory_(std::launder(static_cast<memory*>(mapped))), side_(ours) {}

  /// False when the epoch has ended, or there is no room.
  bool leave(wire::frame_header const& frame, std::uint32_t epoch) noexcept {
    auto state = memory_->state.load(std::memory_order_relaxed);
    auto const left = left_of(state);
    if (epoch_of(state) != epoch) return false;
    if (left - memory_->taken.load(std::memory_order_acquire) >= capacity) return false;
    frame.encode(memory_->frames[left % capacity]);
    return memory_->state.compare_exchange_strong(state, state_of(epoch, left + 1),
                                                  std::memory_order_acq_rel);
  }

  /// The next frame that was left for this end; false if there is none. What no worker of ours
  /// leaves is `errc::protocol_error`.
  bool take(received& into, error_code& failure) noexcept {
    if (side_ == side::worker) return false;
    auto const left = left_of(memory_->state.load(std::memory_order_acquire));
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

  std::uint32_t epoch() const noexcept {
    return side_ == side::primary ? epoch_
                                  : epoch_of(memory_->state.load(std::memory_order_acquire));
  }

  /// Ends the epoch: nothing will be left in it any more. False if something was left that has not
  /// been taken. For the primary.
  bool end_epoch() noexcept {
    auto expected = state_of(epoch_, taken_);
    bool const ended = memory_->state.compare_exchange_strong(
        expected, state_of(epoch_ + 1, taken_), std::memory_order_acq_rel);
    if (ended) ++epoch_;
    return ended;
  }

 private:
  static std::uint32_t epoch_of(std::uint64_t state) noexcept {
    return static_cast<std::uint32_t>(state >> 32);
  }
  static std::uint32_t left_of(std::uint64_t state) noexcept {
    return static_cast<std::uint32_t>(state);
  }
  static std::uint64_t state_of(std::uint32_t epoch, std::uint32_t left) noexcept {
    return std::uint64_t{epoch} << 32 | left;
  }

  memory* memory_;
  side side_;
  std::uint32_t epoch_ = 0;  // as the primary knows it
  std::uint32_t taken_ = 0;
};

}  // namespace prong::os
