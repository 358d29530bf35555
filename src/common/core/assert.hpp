// Assertions that stay on in every build: a supervisor that goes on with a broken state does more
// harm than one that ends, and its host restarts it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace prong::core {

/// Prints what does not hold, and where, to standard error, and aborts.
[[noreturn]] void assertion_failed(char const* expression, char const* why, char const* file,
                                   int line) noexcept;

}  // namespace prong::core

/// `why` is a string literal: the number of the invariant that is broken, or a reason.
#define PRONG_ASSERT(expression, why) \
  ((expression) ? void() : ::prong::core::assertion_failed(#expression, why, __FILE__, __LINE__))
