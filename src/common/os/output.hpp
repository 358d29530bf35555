// The seam: what a worker writes to its standard output or error, as the primary reads it.
// CONTRACT.md says what every backend must keep.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/async.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace prong::os {

class output {
 public:
  output(output&&) noexcept;
  output& operator=(output&&) noexcept;
  ~output();

  /// Completes with the number of bytes that were read, at least one, or with `asio::error::eof`
  /// when nobody holds the other end any more. `into` must outlive the operation. One at a time.
  void async_read_some(std::span<std::byte> into,
                       detail::handler<void(error_code, std::size_t)> completion);

  /// The worker has exited: deliver what it has written, then eof, even if somebody whom it
  /// started still holds the other end (C13).
  void writer_exited() noexcept;

  class impl;
  explicit output(std::unique_ptr<impl> made) noexcept;  // for the backend's spawn

 private:
  std::unique_ptr<impl> impl_;
};

}  // namespace prong::os
