// What this process knows of itself and of the machine.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"
#include "posix/cgroup.hpp"

#include <prong/error.hpp>

#include <unistd.h>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <crt_externs.h>
#include <mach-o/dyld.h>
#endif

namespace prong::os {
namespace {

namespace fs = std::filesystem;

#if defined(__linux__)

// The path as it was typed, because a release may be a link that is turned to the next one; but
// only if it still names this program, which a changed working directory can spoil.
fs::path find_executable(error_code& ec) {
  std::error_code failed;
  if (auto const name = ::getauxval(AT_EXECFN); name != 0) {
    auto path = fs::absolute(reinterpret_cast<char const*>(name), failed);
    if (!failed && fs::equivalent(path, "/proc/self/exe", failed)) return path;
  }
  auto path = fs::read_symlink("/proc/self/exe", failed).native();
  if (failed) ec = failed;
  constexpr std::string_view deleted = " (deleted)";
  if (path.ends_with(deleted)) path.resize(path.size() - deleted.size());
  return path;
}

std::vector<std::string> find_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> all;
  for (std::string text; std::getline(file, text, '\0');) all.push_back(text);
  if (!all.empty()) all.erase(all.begin());
  return all;
}

std::size_t processors_by_affinity() noexcept {
  cpu_set_t set;
  // Fails on machines with more processors than the set has bits: these are not the limit then.
  if (::sched_getaffinity(0, sizeof set, &set) == -1) return SIZE_MAX;
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

#elif defined(__APPLE__)

fs::path find_executable(error_code& ec) {
  std::uint32_t size = 0;
  ::_NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  if (::_NSGetExecutablePath(path.data(), &size) != 0) ec = errc::not_supported;
  std::error_code failed;
  auto const absolute = fs::absolute(path.c_str(), failed);
  if (failed) ec = failed;
  return absolute;
}

std::vector<std::string> find_arguments() {
  char** const all = *::_NSGetArgv();
  return {all + 1, all + *::_NSGetArgc()};
}

std::size_t processors_by_affinity() noexcept {
  return SIZE_MAX;
}

#else

fs::path find_executable(error_code& ec) {
  ec = errc::not_supported;
  return {};
}

std::vector<std::string> find_arguments() {
  return {};
}

std::size_t processors_by_affinity() noexcept {
  return SIZE_MAX;
}

#endif

}  // namespace

program this_program(error_code& ec) {
  ec.clear();
  // Looked up once: later the path may lead to the next version of the program.
  static error_code failure;
  static program const found = [] {
    program result;
    result.executable = find_executable(failure);
    if (!failure) result.arguments = find_arguments();
    return result;
  }();
  ec = failure;
  return found;
}

process_id this_process() noexcept {
  return static_cast<process_id>(::getpid());
}

bool has_users() noexcept {
  return true;
}

std::size_t available_parallelism() noexcept {
  std::size_t const threads = std::max(1u, std::thread::hardware_concurrency());
  return std::max<std::size_t>(
      1, std::min({threads, processors_by_affinity(), posix::processors_by_cgroup()}));
}

}  // namespace prong::os
