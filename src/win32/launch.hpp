// CreateProcess of one program.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/process.hpp"
#include "win32/handle.hpp"

namespace prong::win32 {

struct started {
  process_id id = 0;
  unique_handle process;
};

/// How the new process gets into the job of our workers.
enum class job_entry {
  at_birth,        // Windows 10 and later
  before_it_runs,  // where that is refused: a moment in which our death would leave it suspended
};

/// Starts the program with this process's standard handles, `channel_end`, and no other handle.
started launch(os::program const& what, HANDLE channel_end, job_entry entry, error_code& ec);
/// The same, in the best way that the system has.
started launch(os::program const& what, HANDLE channel_end, error_code& ec);

}  // namespace prong::win32
