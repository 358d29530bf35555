// Memory that a worker and its primary share.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <cstddef>
#include <utility>

namespace prong::posix {

/// A mapping of such memory, of which there is a descriptor to be inherited.
class shared_memory {
 public:
  /// Maps `size` bytes of what `fd` is.
  shared_memory(int fd, std::size_t size, error_code& ec) noexcept;
  shared_memory(shared_memory&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(other.size_) {}
  shared_memory& operator=(shared_memory&&) = delete;
  ~shared_memory();

  void* get() const noexcept { return at_; }

 private:
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

/// New memory of zeros, which nobody can make smaller where the system allows that to be said.
unique_fd create_shared_memory(std::size_t size, error_code& ec) noexcept;

}  // namespace prong::posix
