// The memory in which workers count their turns, as the primary has it.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/turns_memory.hpp"
#include "posix/fd.hpp"

namespace prong::os {

class turns_memory::impl {
 public:
  posix::unique_fd fd;  // above the numbers that a worker uses
};

}  // namespace prong::os
