// Variables of the environment that hold numbers, some of them of descriptors.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <charconv>
#include <climits>
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

/// What one of prong's variables says, which is removed; empty if that is no descriptor's number.
inline unique_fd take_descriptor(char const* variable) noexcept {
  auto const number = number_in(variable);
  ::unsetenv(variable);
  return unique_fd(number > 0 && number <= INT_MAX ? static_cast<int>(number) : -1);
}

}  // namespace prong::posix
