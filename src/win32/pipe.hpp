// The pipe between the primary and a worker.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "win32/handle.hpp"

namespace prong::win32 {

struct pipe_ends {
  unique_handle ours;
  unique_handle theirs;  // to be inherited by one process
};

/// A pipe whose both ends this process has opened, so that nobody else ever can.
pipe_ends open_pipe(error_code& ec);
/// The same for what a program writes. Programs expect their end not to be overlapped.
pipe_ends open_output_pipe(error_code& ec);

/// The system's names for the end of a pipe, of which Asio knows none, as `asio::error::eof`.
error_code translate_end(error_code const& ec) noexcept;

/// Whether the handle is one that `pipe_ends::theirs` may have become in another process.
bool is_worker_end(HANDLE handle) noexcept;

}  // namespace prong::win32
