// Cuts what a worker writes into lines, and says when to read on.
// SPDX-License-Identifier: BSL-1.0
#include "common/output_lines.hpp"

#include <algorithm>
#include <utility>

namespace prong {

void output_lines::add(std::string_view bytes) {
  text_.erase(0, std::exchange(begin_, 0));
  text_ += bytes;
}

std::optional<std::string> output_lines::next() {
  if (!ended_ && !has_room()) return std::nullopt;
  auto const rest = std::string_view(text_).substr(begin_);
  // The longest line, and the longest end that it may have: whoever sees no end here cuts.
  auto const end = rest.substr(0, longest + 2).find('\n');
  if (end != std::string_view::npos) {
    auto const length = end > 0 && rest[end - 1] == '\r' ? end - 1 : end;
    if (length <= longest) return cut(length, end + 1);
  } else if (rest.empty() || (rest.size() < longest + 2 && !ended_)) {
    return std::nullopt;
  }
  auto const length = std::min(rest.size(), longest);
  return cut(length, length);
}

std::string output_lines::cut(std::size_t length, std::size_t with_end) {
  auto line = text_.substr(begin_, length);
  begin_ += with_end;
  ++untaken_;
  return line;
}

}  // namespace prong
