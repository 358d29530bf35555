// The processor quota of a container, from files as the kernel writes them.
// SPDX-License-Identifier: BSL-1.0
#include "posix/cgroup.hpp"

#include "common/os/process.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <fstream>
#include <string>

namespace prong::test {
namespace {

namespace fs = std::filesystem;

// A folder that looks like /sys/fs/cgroup.
class cgroup_files {
 public:
  cgroup_files() { fs::create_directories(root_); }
  cgroup_files(cgroup_files const&) = delete;
  cgroup_files& operator=(cgroup_files const&) = delete;
  ~cgroup_files() { fs::remove_all(root_); }

  void write(fs::path const& name, std::string const& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text << '\n';
  }
  std::size_t processors(std::string const& groups) const {
    write("self", groups);
    return posix::processors_by_cgroup(root_ / "self", root_);
  }

 private:
  fs::path const root_ =
      fs::temp_directory_path() / ("prong_test_cgroup_" + std::to_string(os::this_process()));
};

}  // namespace

TEST_CASE("a quota of version 2 counts, of every group above too, and is rounded up", "[os]") {
  cgroup_files const files;
  CHECK(files.processors("0::/a/b") == SIZE_MAX);
  files.write("a/b/cpu.max", "max 100000");
  CHECK(files.processors("0::/a/b") == SIZE_MAX);
  files.write("a/b/cpu.max", "250000 100000");
  CHECK(files.processors("0::/a/b") == 3);
  files.write("a/cpu.max", "150000 100000");
  CHECK(files.processors("0::/a/b") == 2);
  CHECK(files.processors("0::/elsewhere") == SIZE_MAX);
  files.write("cpu.max", "10000 100000");
  CHECK(files.processors("0::/not/visible/here") == 1);
}

TEST_CASE("a quota of version 1 counts", "[os]") {
  cgroup_files const files;
  files.write("cpu,cpuacct/a/cpu.cfs_quota_us", "-1");
  files.write("cpu,cpuacct/a/cpu.cfs_period_us", "100000");
  CHECK(files.processors("5:cpu,cpuacct:/a\n4:cpuset:/b\n") == SIZE_MAX);
  files.write("cpu,cpuacct/a/cpu.cfs_quota_us", "400000");
  CHECK(files.processors("5:cpu,cpuacct:/a\n4:cpuset:/b\n") == 4);
}

TEST_CASE("without control groups there is no quota", "[os]") {
  CHECK(posix::processors_by_cgroup("/nowhere", "/nowhere") == SIZE_MAX);
}

}  // namespace prong::test
