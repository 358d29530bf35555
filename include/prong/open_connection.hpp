// A connection that counts as open. Asio's sockets do not tell anybody when they are closed, so
// whoever serves a connection holds one of these beside it.
//
// Threads: may be moved to, and destroyed in, any thread.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/accept.hpp>

#include <memory>
#include <utility>

namespace prong {

class [[nodiscard]] open_connection {
 public:
  /// Counts nothing.
  open_connection() = default;
  /// For acceptors.
  explicit open_connection(std::shared_ptr<detail::acceptor_impl> acceptor)
      : acceptor_(std::move(acceptor)) {
    detail::count_connection(*acceptor_);
  }
  open_connection(open_connection&&) noexcept = default;
  open_connection& operator=(open_connection&& other) noexcept {
    if (this != &other) {
      reset();
      acceptor_ = std::move(other.acceptor_);
    }
    return *this;
  }
  ~open_connection() { reset(); }

  /// The connection has ended.
  void reset() noexcept {
    if (auto const acceptor = std::exchange(acceptor_, nullptr)) detail::end_connection(acceptor);
  }

 private:
  std::shared_ptr<detail::acceptor_impl> acceptor_;
};

}  // namespace prong
