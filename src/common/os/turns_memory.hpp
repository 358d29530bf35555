// Memory that all workers of a primary see, in which they count the connections that they take from
// queues they share.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/error.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace prong::os {

/// All zero at first. By queue and worker, each modulo the bound: who shares a place is less even,
/// and nothing else.
struct turn_counts {
  static constexpr std::size_t queues = 64, workers = 256;
  std::array<std::array<std::atomic<std::uint32_t>, workers>, queues> taken;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

/// The memory as a primary has it, to start workers with (`program::turns`). Both backends
/// implement it.
class turns_memory {
 public:
  explicit turns_memory(error_code& ec);
  turns_memory(turns_memory const&) = delete;
  turns_memory& operator=(turns_memory const&) = delete;
  ~turns_memory();

  class impl;
  impl const& backend() const noexcept { return *impl_; }

 private:
  std::unique_ptr<impl> impl_;
};

/// The memory with which this process was started, whose variable is removed from the environment.
/// None if there is none that can be used: a worker can do without.
std::shared_ptr<turn_counts> inherited_turns();

}  // namespace prong::os
