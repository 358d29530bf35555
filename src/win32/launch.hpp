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

/// What the new process is to have, each inheritable: ends of pipes, and its mailbox.
struct worker_ends {
  HANDLE channel = nullptr;
  HANDLE mailbox = nullptr;
  HANDLE output = nullptr;  // where `program` says so
  HANDLE error_output = nullptr;
};

/// Starts the program with these ends, standard handles as it asks for, and no other handle.
started launch(os::program const& what, worker_ends const& ends, job_entry entry, error_code& ec);
/// The same, in the best way that the system has.
started launch(os::program const& what, worker_ends const& ends, error_code& ec);

}  // namespace prong::win32
