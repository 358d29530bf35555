// Integers as bytes, least significant first, whatever this machine's own order and alignment.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <climits>
#include <concepts>
#include <cstddef>

namespace prong::wire {

static_assert(CHAR_BIT == 8);

/// Writes sizeof(Integer) bytes.
template <std::unsigned_integral Integer>
void store_little(Integer value, std::byte* to) noexcept {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    to[i] = static_cast<std::byte>((value >> (CHAR_BIT * i)) & 0xff);
  }
}

/// Reads sizeof(Integer) bytes.
template <std::unsigned_integral Integer>
Integer load_little(std::byte const* from) noexcept {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    auto const byte = std::to_integer<Integer>(from[i]);
    value = static_cast<Integer>(value | static_cast<Integer>(byte << (CHAR_BIT * i)));
  }
  return value;
}

}  // namespace prong::wire
