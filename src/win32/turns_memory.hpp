// The memory in which workers count their turns, as the primary has it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/turns_memory.hpp"
#include "win32/handle.hpp"

namespace prong::os {

class turns_memory::impl {
 public:
  win32::unique_handle section;
};

}  // namespace prong::os
