// A queue that keeps its memory, so that a busy process does not allocate. std::deque gives back a
// block and takes another every few elements, however few wait.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <boost/circular_buffer.hpp>
#include <cstddef>
#include <optional>
#include <utility>

namespace prong::core {

template <class T>
class fifo {
 public:
  bool empty() const noexcept { return all_.empty(); }
  std::size_t size() const noexcept { return all_.size(); }
  auto begin() noexcept { return all_.begin(); }
  auto end() noexcept { return all_.end(); }

  void push(T what) {
    if (all_.full()) all_.set_capacity(std::max<std::size_t>(8, 2 * all_.capacity()));
    all_.push_back(std::move(what));
  }
  /// The oldest, if there is one.
  std::optional<T> pop() {
    if (empty()) return std::nullopt;
    std::optional<T> first(std::move(all_.front()));
    all_.pop_front();
    return first;
  }
  void erase(typename boost::circular_buffer<T>::iterator at) { all_.erase(at); }
  void clear() noexcept { all_.clear(); }

 private:
  boost::circular_buffer<T> all_;
};

}  // namespace prong::core
