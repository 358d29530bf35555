// The processor quota of the container that this process runs in. Only Linux has control groups;
// elsewhere the files are missing, and there is no quota.
// SPDX-License-Identifier: BSL-1.0
#include "posix/cgroup.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace prong::posix {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t unlimited = SIZE_MAX;

std::size_t rounded_up(double quota, double period) noexcept {
  if (quota <= 0 || period <= 0) return unlimited;
  return static_cast<std::size_t>((quota + period - 1) / period);
}

// Version 2: "max 100000" or "150000 100000".
std::size_t quota_of_v2(fs::path const& folder) {
  double quota = 0;
  double period = 0;
  std::ifstream file(folder / "cpu.max");
  return file >> quota >> period ? rounded_up(quota, period) : unlimited;
}

// Version 1: two files; -1 means no limit.
std::size_t quota_of_v1(fs::path const& folder) {
  double quota = 0;
  double period = 0;
  std::ifstream(folder / "cpu.cfs_quota_us") >> quota;
  std::ifstream(folder / "cpu.cfs_period_us") >> period;
  return rounded_up(quota, period);
}

// A limit of any group above holds as well. Inside a container the path may be one of the host's,
// which does not exist here; the root is then this container's own group.
template <class Quota>
std::size_t least_upwards(fs::path const& root, fs::path group, Quota quota) {
  std::size_t least = quota(root);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path()) {
    least = std::min(least, quota(root / group));
  }
  return least;
}

bool names_cpu(std::string const& controllers) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

std::size_t find_least(fs::path const& groups, fs::path const& mount) {
  std::size_t least = unlimited;
  std::ifstream file(groups);
  // "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1; a system may have both.
  for (std::string line; std::getline(file, line);) {
    auto const first = line.find(':');
    auto const second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    auto const controllers = line.substr(first + 1, second - first - 1);
    auto const path = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, least_upwards(mount, path, quota_of_v2));
    } else if (names_cpu(controllers)) {
      least = std::min(least, least_upwards(mount / controllers, path, quota_of_v1));
      least = std::min(least, least_upwards(mount / "cpu", path, quota_of_v1));
    }
  }
  return least;
}

}  // namespace

std::size_t processors_by_cgroup(fs::path const& groups, fs::path const& mount) noexcept {
  try {
    return find_least(groups, mount);
  } catch (std::exception const&) {
    return unlimited;  // a quota that cannot be read is none
  }
}

}  // namespace prong::posix
