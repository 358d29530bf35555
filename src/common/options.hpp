// What the options come to once defaults and environment are applied.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/options.hpp>

#include <string>

namespace prong {

/// Names the first option whose value cannot be meant, and why; empty if there is none. How
/// workers are started, `prepare` looks at.
std::string invalid_option(options const& settings);

/// The policy: the option, the environment's override, the platform's default. Never
/// `platform_default`. A value of the environment that cannot be meant is reported in `invalid`.
scheduling scheduling_of(options const& settings, std::string& invalid);

}  // namespace prong
