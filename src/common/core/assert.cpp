// Assertions that stay on in every build.
// SPDX-License-Identifier: BSL-1.0
#include "common/core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace prong::core {

void assertion_failed(char const* expression, char const* why, char const* file,
                      int line) noexcept {
  std::fprintf(stderr, "prong: assertion failed: %s (%s) at %s:%d\n", expression, why, file, line);
  std::abort();
}

}  // namespace prong::core
