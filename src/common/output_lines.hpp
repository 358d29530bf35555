// Cuts what a worker writes into lines, and says when to read on.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace prong {

class output_lines {
 public:
  static constexpr std::size_t longest = 64 * 1024;
  /// How many lines may be given that the program has not taken.
  static constexpr std::size_t most_untaken = 64;

  /// What was read.
  void add(std::string_view bytes);
  /// Nothing more will be read. What is left comes at once: who wrote it cannot wait any more.
  void end() noexcept { ended_ = true; }

  /// The next line; none if it is not complete, or when the program has too many to take.
  std::optional<std::string> next();
  /// The program has taken a line.
  void taken() noexcept { --untaken_; }
  /// Where it is false, `next` gives nothing, and reading more would only fill memory.
  bool has_room() const noexcept { return untaken_ < most_untaken; }
  bool has_ended() const noexcept { return ended_; }

 private:
  std::string cut(std::size_t length, std::size_t with_end);

  std::string text_;
  std::size_t begin_ = 0;  // of what was not given yet
  std::size_t untaken_ = 0;
  bool ended_ = false;
};

}  // namespace prong
