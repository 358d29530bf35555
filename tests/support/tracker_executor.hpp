// An executor that says whether the code that asks is run by it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>
#include <memory>
#include <utility>

namespace prong::test {

/// `Inner`: the executor that does the work, such as an io_context's.
template <class Inner>
class tracker_executor {
 public:
  explicit tracker_executor(Inner inner, std::shared_ptr<int> depth = std::make_shared<int>(0))
      : inner_(std::move(inner)), depth_(std::move(depth)) {}

  /// Whether this executor, or one that was made of it, runs the caller.
  bool runs_me() const noexcept { return *depth_ > 0; }

  template <class Function>
  void execute(Function&& function) const {
    inner_.execute([depth = depth_, call = std::forward<Function>(function)]() mutable {
      ++*depth;
      std::move(call)();
      --*depth;
    });
  }

  template <class Property>
  requires asio::can_query_v<Inner const&, Property>
  decltype(auto) query(Property const& what) const { return asio::query(inner_, what); }
  template <class Property>
  requires asio::can_require_v<Inner const&, Property>
  auto require(Property const& what) const {
    auto required = asio::require(inner_, what);
    return tracker_executor<decltype(required)>(std::move(required), depth_);
  }

  friend bool operator==(tracker_executor const& left, tracker_executor const& right) noexcept {
    return left.depth_ == right.depth_ && left.inner_ == right.inner_;
  }

 private:
  Inner inner_;
  std::shared_ptr<int> depth_;
};

}  // namespace prong::test
