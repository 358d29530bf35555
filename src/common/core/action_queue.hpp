// Decisions on their way from a core to its shell, first in, first out. The queue keeps its memory,
// so that a busy process does not allocate.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace prong::core {

template <class AnyAction>
class queue_of {
 public:
  template <class Action>
  void push(Action&& what) {
    waiting_.emplace_back(std::forward<Action>(what));
  }
  std::optional<AnyAction> pop() {
    if (empty()) {
      waiting_.clear();
      next_ = 0;
      return std::nullopt;
    }
    return std::move(waiting_[next_++]);
  }
  bool empty() const noexcept { return next_ == waiting_.size(); }

 private:
  std::vector<AnyAction> waiting_;
  std::size_t next_ = 0;
};

}  // namespace prong::core
