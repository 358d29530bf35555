// What the backend's parts know of a worker's output besides its interface.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/output.hpp"
#include "win32/handle.hpp"

#include <optional>

namespace prong::win32 {

/// Our end of a pipe from `open_output_pipe`; none if `ec` is set.
std::optional<os::output> open_output(asio::any_io_executor const& executor, unique_handle end,
                                      error_code& ec);

}  // namespace prong::win32
