// host::async_run: what ties a primary to its host.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/host.hpp>
#include <prong/primary.hpp>

namespace prong::detail {

void run_hosted(primary& boss, host& where, hosting settings, handler<void(error_code)> completion);

}  // namespace prong::detail
