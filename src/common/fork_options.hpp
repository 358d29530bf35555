// How a worker's process is started: what may be said, and what it comes to.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/process.hpp"

#include <prong/options.hpp>

#include <string>

namespace prong {

/// Checks what can be checked without starting anything, and makes the paths absolute. On failure
/// `why` begins with the name of the field.
error_code prepare(fork_options& given, std::string& why);

/// `changes` over `before`: the fields that are given win, and of the environment each name.
fork_options merge(fork_options before, fork_options changes);

/// What to start: `this_program` wherever the options say nothing else.
os::program program_from(os::program this_program, fork_options const& settings);

/// The program for a log: its path, and what else may be the reason that it does not start.
std::string describe(os::program const& what);

}  // namespace prong
