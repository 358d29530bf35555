// Memory that a worker and its primary share.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "win32/handle.hpp"

#include <cstddef>
#include <utility>

namespace prong::win32 {

/// A view of such memory, of which there is a handle to be inherited.
class shared_memory {
 public:
  /// Maps `size` bytes of what `section` is.
  shared_memory(HANDLE section, std::size_t size, error_code& ec) noexcept;
  shared_memory(shared_memory&& other) noexcept : at_(std::exchange(other.at_, nullptr)) {}
  shared_memory& operator=(shared_memory&&) = delete;
  ~shared_memory();

  void* get() const noexcept { return at_; }

 private:
  void* at_ = nullptr;
};

enum class inherited { no, yes };

/// New memory of zeros, with a handle that can be inherited or not.
unique_handle create_shared_memory(std::size_t size, inherited how, error_code& ec) noexcept;

}  // namespace prong::win32
