// A program's arguments and environment in the forms that CreateProcess takes.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/process.hpp"

#include <string>
#include <vector>

namespace prong::win32 {

/// One line from which CommandLineToArgvW, and the start of every C program, make the program's
/// name and the arguments again. Fails where an argument cannot be said.
std::wstring command_line(os::program const& what, error_code& ec);

/// This process's environment without prong's variables, and what is added to it, as one block.
/// `turns` may be empty: the worker takes none. Fails where a name or a value cannot be said.
std::wstring environment_block(os::program const& what, std::wstring const& channel,
                               std::wstring const& turns, error_code& ec);

/// The arguments of this process, without the program's name, as UTF-8.
std::vector<std::string> own_arguments();

}  // namespace prong::win32
