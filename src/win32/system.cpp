// What this process knows of itself and of the machine.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"
#include "win32/command_line.hpp"
#include "win32/handle.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <thread>

namespace prong::os {
namespace {

// The path as it was typed, because a release may be a link that is turned to the next one.
std::filesystem::path find_executable(error_code& ec) {
  std::wstring path(MAX_PATH, L'\0');
  for (;;) {
    DWORD const size = ::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
    if (size == 0) {
      ec = win32::last_error();
      return {};
    }
    if (size < path.size()) {
      path.resize(size);
      return path;
    }
    path.resize(2 * path.size());
  }
}

std::size_t processors_by_affinity() noexcept {
  DWORD_PTR own = 0;
  DWORD_PTR all = 0;
  // 0 for a process in several groups of processors, which may run on all of them.
  if (!::GetProcessAffinityMask(::GetCurrentProcess(), &own, &all) || own == 0) return SIZE_MAX;
  return static_cast<std::size_t>(std::popcount(std::uint64_t{own}));
}

// A container is a job, and its quota is the job's, in hundredths of a percent of all processors.
std::size_t processors_by_quota(std::size_t processors) noexcept {
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION quota{};
  constexpr DWORD hard = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
  if (!::QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &quota,
                                   sizeof quota, nullptr) ||
      (quota.ControlFlags & hard) != hard) {
    return SIZE_MAX;
  }
  return (processors * quota.CpuRate + 9'999) / 10'000;  // a started processor is one
}

}  // namespace

program this_program(error_code& ec) {
  // Looked up once: later the path may lead to the next version of the program.
  static error_code failure;
  static program const found = [] {
    program result;
    result.executable = find_executable(failure);
    result.arguments = win32::own_arguments();
    return result;
  }();
  ec = failure;
  return found;
}

process_id this_process() noexcept {
  return ::GetCurrentProcessId();
}

// To start a program as somebody else takes a password, or a token.
bool has_users() noexcept {
  return false;
}

std::size_t available_parallelism() noexcept {
  std::size_t const threads = std::max(1u, std::thread::hardware_concurrency());
  return std::max<std::size_t>(
      1, std::min({threads, processors_by_affinity(), processors_by_quota(threads)}));
}

}  // namespace prong::os
