// Memory of operations, kept for the next. Asio keeps two blocks a thread, which are the program's:
// what prong has on its way is not to drive those out.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>

namespace prong::detail {

/// A few blocks of one size, for the whole process. Any thread may take one and give it back.
class kept_blocks {
 public:
  static constexpr std::size_t size = 256;

  static void* take() {
    for (auto& each : kept_)
      if (each.load(std::memory_order_relaxed) != nullptr)
        if (void* const block = each.exchange(nullptr, std::memory_order_acquire)) return block;
    return ::operator new(size);
  }
  static void give(void* block) noexcept {
    for (auto& each : kept_) {
      void* none = nullptr;
      if (each.load(std::memory_order_relaxed) == nullptr &&
          each.compare_exchange_strong(none, block, std::memory_order_release))
        return;
    }
    ::operator delete(block);
  }

 private:
  static inline std::array<std::atomic<void*>, 16> kept_{};
};

/// The allocator of what prong itself has on its way, and of handlers that have no other.
template <class T = void>
struct recycled {
  using value_type = T;

  recycled() = default;
  template <class U>
  recycled(recycled<U> const&) noexcept {}

  T* allocate(std::size_t count) {
    return fits(count) ? static_cast<T*>(kept_blocks::take()) : std::allocator<T>().allocate(count);
  }
  void deallocate(T* block, std::size_t count) noexcept {
    if (fits(count))
      kept_blocks::give(block);
    else
      std::allocator<T>().deallocate(block, count);
  }
  friend bool operator==(recycled const&, recycled const&) { return true; }

 private:
  static constexpr bool fits(std::size_t count) noexcept {
    return count <= kept_blocks::size / sizeof(T) && alignof(T) <= alignof(std::max_align_t);
  }
};

template <>
struct recycled<void> {
  using value_type = void;
  recycled() = default;
  template <class U>
  recycled(recycled<U> const&) noexcept {}
  friend bool operator==(recycled const&, recycled const&) { return true; }
};

}  // namespace prong::detail
