// Reads one of a worker's streams, line by line, no faster than the program takes the lines.
//
// The owner hears of lines until the end, once; never after `cut`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/output.hpp"
#include "common/output_lines.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>

namespace prong {

class output_reader : public std::enable_shared_from_this<output_reader> {
 public:
  struct callbacks {
    std::function<void(std::string)> on_line;
    std::function<void()> on_end;
  };

  explicit output_reader(os::output stream);
  void start(callbacks owner);

  /// The program has taken a line.
  void line_taken();
  /// The worker has exited: what it has written comes, and then the end.
  void writer_exited();
  void cut() noexcept { stream_.reset(); }
  bool has_ended() const noexcept { return !stream_; }

 private:
  void read();
  void on_read(error_code ec, std::size_t count);
  void go_on();

  std::optional<os::output> stream_;
  callbacks owner_;
  output_lines lines_;
  std::array<std::byte, 16 * 1024> buffer_;
  bool reading_ = false;
  bool exited_ = false;
};

}  // namespace prong
