// The job that all workers of this process belong to.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <windows.h>

namespace prong::win32 {

/// The system ends what is in the job when the last handle of it is closed. Only this process has
/// one, which nobody inherits and nothing closes, so that is when this process ends, however it
/// does (C10). Null after an error.
HANDLE workers_job(error_code& ec) noexcept;

}  // namespace prong::win32
