// An operation that waits for the simulated operating system.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/prefer.hpp>
#include <optional>
#include <utility>

namespace prong::sim {

/// Keeps its process running while it waits, completes once and never inline (C1), and with
/// `operation_aborted` when its object is destroyed (C2).
template <class... Args>
class pending {
 public:
  pending() = default;
  pending(pending const&) = delete;
  pending& operator=(pending const&) = delete;
  ~pending() { abort(); }

  void start(asio::any_io_executor const& executor, detail::handler<void(Args...)> completion) {
    one_.emplace(asio::prefer(executor, asio::execution::outstanding_work.tracked),
                 std::move(completion));
  }
  bool waits() const noexcept { return one_.has_value(); }
  void complete(Args... args) {
    auto one = std::move(*one_);
    one_.reset();
    detail::post_completion(one.first, std::move(one.second), std::move(args)...);
  }
  void forget() { one_.reset(); }
  void abort() {
    if (one_) abort_with<Args...>();
  }

 private:
  template <class, class... Rest>
  void abort_with() {
    complete(asio::error::operation_aborted, Rest{}...);
  }

  std::optional<std::pair<asio::any_io_executor, detail::handler<void(Args...)>>> one_;
};

}  // namespace prong::sim
