// The job that all workers of this process belong to.
// SPDX-License-Identifier: BSL-1.0
#include "win32/job.hpp"

#include "win32/handle.hpp"

namespace prong::win32 {
namespace {

HANDLE make_job(error_code& ec) noexcept {
  unique_handle job(::CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  if (job && ::SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits,
                                       sizeof limits)) {
    return job.release();
  }
  ec = last_error();
  return nullptr;
}

}  // namespace

HANDLE workers_job(error_code& ec) noexcept {
  static error_code failure;
  static HANDLE const job = make_job(failure);
  ec = failure;
  return job;
}

}  // namespace prong::win32
