// Frames without payload that a worker leaves for its primary in memory that both see: no system
// call, and nobody is woken. Both backends keep one beside each channel.
//
// What was left stays if the process that left it dies at once. The reader trusts nothing here but
// its own position.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/wire/frame.hpp"

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

  explicit mailbox(void* mapped) noexcept : memory_(std::launder(static_cast<memory*>(mapped))) {}

  /// False when there is no room.
  bool leave(wire::frame_header const& frame) noexcept {
    auto const left = memory_->left.load(std::memory_order_relaxed);
    if (left - memory_->taken.load(std::memory_order_acquire) >= capacity) return false;
    frame.encode(memory_->frames[left % capacity]);
    memory_->left.store(left + 1, std::memory_order_release);
    return true;
  }

  enum class result { frame, empty, malformed };

  result take(wire::frame_header& into) noexcept {
    auto const left = memory_->left.load(std::memory_order_acquire);
    if (left == taken_) return result::empty;
    into = wire::frame_header::decode(memory_->frames[taken_ % capacity]);
    if (left - taken_ > capacity || into.length != 0 || into.flags != 0) return result::malformed;
    memory_->taken.store(++taken_, std::memory_order_release);
    return result::frame;
  }

 private:
  memory* memory_;
  std::uint32_t taken_ = 0;
};

}  // namespace prong::os
