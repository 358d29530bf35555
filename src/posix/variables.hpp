// Variables of the environment that hold numbers.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace prong::posix {

/// A whole positive number, or 0.
inline std::uint64_t number_in(char const* variable) noexcept {
  char const* const text = std::getenv(variable);
  if (text == nullptr) return 0;
  char const* const end = text + std::strlen(text);
  std::uint64_t value = 0;
  auto const [rest, failed] = std::from_chars(text, end, value);
  return failed == std::errc() && rest == end ? value : 0;
}

}  // namespace prong::posix
