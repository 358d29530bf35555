// CreateProcess of one program. Written by hand, because Boost.Process 1.81 quotes arguments
// wrongly, lets a process inherit every inheritable handle, and sets no creation flags.
// SPDX-License-Identifier: BSL-1.0
#include "win32/launch.hpp"

#include "win32/command_line.hpp"
#include "win32/job.hpp"
#include "win32/turns_memory.hpp"

#include <fmt/xchar.h>
#include <array>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

// Not in all headers yet.
#if !defined(PROC_THREAD_ATTRIBUTE_JOB_LIST)
#define PROC_THREAD_ATTRIBUTE_JOB_LIST 0x0002000D
#endif

namespace prong::win32 {
namespace {

// The list by which CreateProcess learns what the process inherits and which job it is born in.
class attributes {
 public:
  explicit attributes(DWORD count, error_code& ec) {
    SIZE_T size = 0;
    ::InitializeProcThreadAttributeList(nullptr, count, 0, &size);
    memory_ = std::make_unique<std::byte[]>(size);
    if (!::InitializeProcThreadAttributeList(get(), count, 0, &size)) {
      ec = last_error();
      memory_.reset();
    }
  }
  attributes(attributes const&) = delete;
  attributes& operator=(attributes const&) = delete;
  ~attributes() {
    if (memory_) ::DeleteProcThreadAttributeList(get());
  }

  /// `values` must stay where they are until the process is created.
  void set(DWORD_PTR name, std::span<HANDLE> values, error_code& ec) noexcept {
    if (ec) return;
    if (!::UpdateProcThreadAttribute(get(), 0, name, values.data(), values.size_bytes(), nullptr,
                                     nullptr)) {
      ec = last_error();
    }
  }
  LPPROC_THREAD_ATTRIBUTE_LIST get() const noexcept {
    return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.get());
  }

 private:
  std::unique_ptr<std::byte[]> memory_;
};

std::wstring number_of(HANDLE handle) {
  return std::to_wstring(reinterpret_cast<std::uintptr_t>(handle));
}

unique_handle open_nothing(error_code& ec) noexcept {
  SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
  unique_handle nothing(::CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                                      FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING,
                                      0, nullptr));
  if (!nothing) ec = last_error();
  return nothing;
}

// What the worker is to have as one of its standard handles.
unique_handle standard_handle(DWORD which, stdio kind, HANDLE pipe, error_code& ec) noexcept {
  if (kind == stdio::pipe) return duplicate(pipe, true, ec);
  HANDLE const own = ::GetStdHandle(which);
  // A service has none.
  if (kind == stdio::inherit && own != nullptr && own != INVALID_HANDLE_VALUE) {
    error_code failed;
    auto copy = duplicate(own, true, failed);
    if (!failed) return copy;  // else it was closed behind the system's back
  }
  return open_nothing(ec);
}

bool can_be_passed(std::filesystem::path const& path) noexcept {
  return path.native().find(L'\0') == std::wstring::npos;
}

// The shell would run these, and read the arguments by rules of its own.
bool is_script(std::filesystem::path const& executable) {
  auto const extension = executable.extension().native();
  auto const is = [&](wchar_t const* other) {
    return ::CompareStringOrdinal(extension.c_str(), -1, other, -1, TRUE) == CSTR_EQUAL;
  };
  return is(L".bat") || is(L".cmd");
}

bool enter(HANDLE job, PROCESS_INFORMATION const& made) noexcept {
  return ::AssignProcessToJobObject(job, made.hProcess) &&
         ::ResumeThread(made.hThread) != static_cast<DWORD>(-1);
}

started create(os::program const& what, STARTUPINFOEXW& start, std::wstring line,
               std::wstring environment, DWORD flags, error_code& ec) {
  PROCESS_INFORMATION made{};
  auto const& folder = what.working_directory;
  if (what.hide_window) flags |= CREATE_NO_WINDOW;
  // A group of its own: a Ctrl-C at the console is the primary's to handle.
  if (!::CreateProcessW(what.executable.c_str(), line.data(), nullptr, nullptr, TRUE,
                        flags | EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT |
                            CREATE_NEW_PROCESS_GROUP,
                        environment.data(), folder.empty() ? nullptr : folder.c_str(),
                        &start.StartupInfo, &made)) {
    ec = last_error();
    return {};
  }
  started result{made.dwProcessId, unique_handle(made.hProcess)};
  unique_handle const thread(made.hThread);
  if ((flags & CREATE_SUSPENDED) != 0 && !enter(workers_job(ec), made)) {
    ec = last_error();
    ::TerminateProcess(made.hProcess, 1);
    return {};
  }
  return result;
}

}  // namespace

started launch(os::program const& what, worker_ends const& ends, job_entry entry, error_code& ec) {
  if (is_script(what.executable) || what.user || what.group)
    ec = asio::error::operation_not_supported;
  if (!can_be_passed(what.executable) || !can_be_passed(what.working_directory))
    ec = asio::error::invalid_argument;
  auto const channel = fmt::format(L"{}:{}:{}", number_of(ends.channel), number_of(ends.mailbox),
                                   ::GetCurrentProcessId());
  auto line = command_line(what, ec);
  unique_handle turns;
  if (what.turns && !ec) turns = duplicate(what.turns->backend().section.get(), true, ec);
  auto environment =
      environment_block(what, channel, turns ? number_of(turns.get()) : std::wstring(), ec);
  if (ec) return {};

  auto const input = standard_handle(STD_INPUT_HANDLE, what.input, nullptr, ec);
  auto const output = standard_handle(STD_OUTPUT_HANDLE, what.output, ends.output, ec);
  auto const errors = standard_handle(STD_ERROR_HANDLE, what.error_output, ends.error_output, ec);
  std::vector inherited{ends.channel, ends.mailbox, input.get(), output.get(), errors.get()};
  if (turns) inherited.push_back(turns.get());
  std::array jobs{workers_job(ec)};
  if (ec) return {};

  attributes list(2, ec);
  list.set(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited, ec);
  if (entry == job_entry::at_birth) list.set(PROC_THREAD_ATTRIBUTE_JOB_LIST, jobs, ec);
  if (ec) return {};

  STARTUPINFOEXW start{};
  start.StartupInfo.cb = sizeof start;
  start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  start.StartupInfo.hStdInput = input.get();
  start.StartupInfo.hStdOutput = output.get();
  start.StartupInfo.hStdError = errors.get();
  start.lpAttributeList = list.get();
  DWORD const flags = entry == job_entry::before_it_runs ? CREATE_SUSPENDED : 0;
  return create(what, start, std::move(line), std::move(environment), flags, ec);
}

started launch(os::program const& what, worker_ends const& ends, error_code& ec) {
  auto result = launch(what, ends, job_entry::at_birth, ec);
  // Systems before Windows 10 know no such attribute.
  if (ec == system_error(ERROR_NOT_SUPPORTED) || ec == system_error(ERROR_INVALID_PARAMETER)) {
    ec.clear();
    result = launch(what, ends, job_entry::before_it_runs, ec);
  }
  return result;
}

}  // namespace prong::win32
