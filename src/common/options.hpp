// What the options come to once defaults and environment are applied.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/options.hpp>

#include <string>

namespace prong {

/// Names the first option whose value cannot be meant, and why; empty if there is none. How
/// workers are started, `prepare` looks at.
std::string invalid_option(options const& settings);

/// Whether workers accept by themselves: the option, the environment's override, the platform's
/// default. A value of the environment that is unknown is reported in `invalid`.
bool is_shared(scheduling chosen, std::string& invalid);

}  // namespace prong
