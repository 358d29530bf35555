// Connections that wait in the primary, first come, first out. It keeps its memory, so that a busy
// primary does not allocate.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/core/types.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <span>
#include <vector>

namespace prong::core {

/// A connection, and its client where the policy asks for that; else no address.
struct arrival {
  connection_id connection{};
  asio::ip::tcp::endpoint from{};
};

class arrivals {
 public:
  bool empty() const noexcept { return first_ == all_.size(); }
  std::size_t size() const noexcept { return all_.size() - first_; }
  std::span<arrival const> all() const noexcept { return std::span(all_).subspan(first_); }
  arrival const& operator[](std::size_t at) const { return all_[first_ + at]; }

  void push_back(arrival const& what) {
    // Half of the memory at most is of those who are gone.
    if (first_ > size()) {
      all_.erase(all_.begin(), at(0));
      first_ = 0;
    }
    all_.push_back(what);
  }
  /// In front of all, in their order.
  void push_front(std::span<arrival const> what) { all_.insert(at(0), what.begin(), what.end()); }
  arrival pop_front() {
    auto first = all_[first_++];
    if (empty()) clear();
    return first;
  }
  arrival take(std::size_t which) {
    if (which == 0) return pop_front();
    auto taken = (*this)[which];
    all_.erase(at(which));
    return taken;
  }
  /// Everything, which then is here no more.
  std::vector<connection_id> take_all() {
    std::vector<connection_id> taken;
    for (auto const& each : all()) taken.push_back(each.connection);
    clear();
    return taken;
  }

 private:
  void clear() noexcept {
    all_.clear();
    first_ = 0;
  }
  std::vector<arrival>::iterator at(std::size_t which) {
    return all_.begin() + static_cast<std::ptrdiff_t>(first_ + which);
  }

  std::vector<arrival> all_;
  std::size_t first_ = 0;
};

}  // namespace prong::core
