// The processor quota of the container that this process runs in.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>

namespace prong::posix {

/// How many processors the quota of this process's control group is worth, rounded up; SIZE_MAX
/// where there is none. The paths are parameters for the sake of tests.
std::size_t processors_by_cgroup(std::filesystem::path const& groups = "/proc/self/cgroup",
                                 std::filesystem::path const& mount = "/sys/fs/cgroup") noexcept;

}  // namespace prong::posix
