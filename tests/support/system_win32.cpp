// What tests ask of the operating system, on Windows.
// SPDX-License-Identifier: BSL-1.0
#include "support/system.hpp"

#include "support/worker_body.hpp"
#include "win32/handle.hpp"
#include "win32/text.hpp"

#include <boost/system/system_error.hpp>

#include <windows.h>

#include <tlhelp32.h>
#include <winternl.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cwchar>
#include <stdexcept>
#include <string_view>

// In ntdll since Windows XP; no header declares it.
extern "C" NTSTATUS NTAPI NtSuspendProcess(HANDLE process);

namespace prong::test {
namespace {

using win32::unique_handle;

// Numbers of handles are multiples of four, and the system gives the low ones first.
constexpr std::uintptr_t last_handle = 1u << 14;

HANDLE handle_of(std::uintptr_t number) {
  return reinterpret_cast<HANDLE>(number);  // NOLINT: a handle is a number
}

int number_of(HANDLE handle) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(handle));
}

[[noreturn]] void fail(char const* what) {
  throw boost::system::system_error(win32::last_error(), what);
}

std::wstring utf16(std::string const& text) {
  error_code ec;
  auto result = win32::to_utf16(text, ec);
  if (ec) throw boost::system::system_error(ec);
  return result;
}

std::wstring type_of(HANDLE handle) {
  alignas(PUBLIC_OBJECT_TYPE_INFORMATION) std::array<std::byte, 1024> buffer{};
  auto const size = static_cast<ULONG>(buffer.size());
  if (::NtQueryObject(handle, ObjectTypeInformation, buffer.data(), size, nullptr) < 0) return {};
  auto const& name =
      reinterpret_cast<PUBLIC_OBJECT_TYPE_INFORMATION const*>(buffer.data())->TypeName;
  return {name.Buffer, name.Length / sizeof(wchar_t)};
}

// Handles that a program has because it asked for them: of processes, files, pipes and sockets.
// Threads, events and completion ports come and go with the thread pools of the system and of Asio;
// folders and devices are the runtime's, such as the current folder and the console. The job of a
// process's workers stays as long as the process: only one that was inherited is of interest.
bool is_of_interest(HANDLE handle) {
  DWORD flags = 0;
  if (!::GetHandleInformation(handle, &flags)) return false;
  auto const type = type_of(handle);
  if (type == L"Process") return true;
  if (type == L"Job") return (flags & HANDLE_FLAG_INHERIT) != 0;
  if (type != L"File") return false;
  auto const kind = ::GetFileType(handle);
  if (kind == FILE_TYPE_PIPE) return true;
  BY_HANDLE_FILE_INFORMATION about{};
  return kind == FILE_TYPE_DISK && ::GetFileInformationByHandle(handle, &about) &&
         (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

// The channel variable is `<handle>:<handle of the mailbox>:<process id of the primary>`.
struct inherited_channel {
  std::uintptr_t handle = 0;
  DWORD primary = 0;

  inherited_channel() {
    char const* const set = std::getenv("PRONG_CHANNEL");
    std::string_view const text = set != nullptr ? set : "";
    auto const colon = std::min(text.find(':'), text.size());
    std::from_chars(text.data(), text.data() + colon, handle);
    auto const last = text.rfind(':');
    if (last != text.npos)
      std::from_chars(text.data() + last + 1, text.data() + text.size(), primary);
  }
};

bound_socket bind_socket(int type) {
  bound_socket made;
  made.socket.reset(::socket(AF_INET, type, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  auto* const address = reinterpret_cast<sockaddr*>(&where);
  int size = sizeof where;
  if (!made.socket || ::bind(made.socket.get(), address, size) != 0 ||
      ::getsockname(made.socket.get(), address, &size) != 0) {
    fail("bind_socket");
  }
  made.port = ::ntohs(where.sin_port);
  return made;
}

bool is_wine() {
  return ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr;
}

// In 100 ns since 1601.
std::uint64_t birth_of(HANDLE process) {
  FILETIME born{}, died{}, in_kernel{}, in_user{};
  if (!::GetProcessTimes(process, &born, &died, &in_kernel, &in_user)) fail("GetProcessTimes");
  return std::uint64_t{born.dwHighDateTime} << 32 | born.dwLowDateTime;
}

// The processes that this one started and that have not ended. One that is older than this one had
// another parent, whose number was free again.
std::vector<PROCESSENTRY32W> children() {
  std::vector<PROCESSENTRY32W> result;
  unique_handle const snapshot(::CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0));
  if (!snapshot) fail("CreateToolhelp32Snapshot");
  PROCESSENTRY32W entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = ::Process32FirstW(snapshot.get(), &entry); more;
       more = ::Process32NextW(snapshot.get(), &entry)) {
    if (entry.th32ParentProcessID != ::GetCurrentProcessId()) continue;
    if (std::wstring_view(entry.szExeFile) == L"conhost.exe") continue;  // the system's
    unique_handle const process(
        ::OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, entry.th32ProcessID));
    if (!process || ::WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0 ||
        birth_of(process.get()) < birth_of(::GetCurrentProcess())) {
      continue;
    }
    result.push_back(entry);
  }
  return result;
}

// Runs a program and neither waits for it nor leaves a handle of it.
void start_program(std::filesystem::path const& program) {
  STARTUPINFOW how{};
  how.cb = sizeof how;
  PROCESS_INFORMATION made{};
  if (!::CreateProcessW(program.c_str(), nullptr, nullptr, nullptr, TRUE, 0, nullptr, nullptr, &how,
                        &made)) {
    fail("CreateProcess");
  }
  ::CloseHandle(made.hProcess);
  ::CloseHandle(made.hThread);
}

}  // namespace

std::vector<int> open_handles() {
  std::vector<int> result;
  for (std::uintptr_t number = 4; number <= last_handle; number += 4) {
    if (is_of_interest(handle_of(number))) result.push_back(static_cast<int>(number));
  }
  return result;
}

std::vector<int> expected_worker_handles() {
  std::vector<int> result;
  for (HANDLE const each :
       {::GetStdHandle(STD_INPUT_HANDLE), ::GetStdHandle(STD_OUTPUT_HANDLE),
        ::GetStdHandle(STD_ERROR_HANDLE), handle_of(inherited_channel().handle)}) {
    if (is_of_interest(each)) result.push_back(number_of(each));
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

bool has_child() {
  return !children().empty();
}

void reap_abandoned() {
  for (auto const& each : children()) {
    unique_handle const process(::OpenProcess(SYNCHRONIZE, FALSE, each.th32ProcessID));
    if (process) ::WaitForSingleObject(process.get(), INFINITE);
  }
}

bound_socket listening_socket() {
  auto made = bind_socket(SOCK_STREAM);
  if (::listen(made.socket.get(), SOMAXCONN) != 0) fail("listen");
  return made;
}

bound_socket datagram_socket() {
  return bind_socket(SOCK_DGRAM);
}

bool lets_sockets_go() {
  return !is_wine();
}

socket_handle accept_from(native_socket listener) {
  return socket_handle(::accept(listener, nullptr, nullptr));
}

bool write_byte(native_socket to, char byte) {
  return ::send(to, &byte, 1, 0) == 1;
}

bool divides_among_sockets() {
  return false;
}

bool has_abstract_names() {
  return false;
}

bool refuse_ipv6() {
  return false;
}

bool ends_get_lost() {
  return is_wine();
}

bool stop_child(process_id child) {
  unique_handle const process(
      ::OpenProcess(PROCESS_SUSPEND_RESUME, FALSE, static_cast<DWORD>(child)));
  return process && ::NtSuspendProcess(process.get()) >= 0;
}

std::filesystem::path running_program() {
  std::wstring path(32768, L'\0');
  path.resize(::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
}

void replace_program(std::filesystem::path const& by, std::filesystem::path const& at) {
  remove_program(at);
  std::filesystem::rename(by, at);
}

void remove_program(std::filesystem::path const& at) {
  // Its file can be renamed while it runs, and not be removed.
  for (int number = 0; std::filesystem::exists(at); ++number) {
    auto const elsewhere = at.native() + L"." + std::to_wstring(number);
    if (!std::filesystem::exists(elsewhere)) std::filesystem::rename(at, elsewhere);
  }
}

int run_in_shell(std::string const& command) {
  // The shell takes the first and the last quote away.
  return std::system(('"' + command + '"').c_str());
}

std::string what_processes_do() {
  std::string text;
  for (auto const& each : children()) {
    text += std::to_string(each.th32ProcessID) + ' ' + win32::to_utf8(each.szExeFile) + ", " +
            std::to_string(each.cntThreads) + " threads\n";
  }
  return text;
}

std::vector<std::string> signal_settings() {
  std::vector<std::string> all;
  for (int const number : {SIGINT, SIGTERM, SIGBREAK, SIGABRT, SIGFPE, SIGILL, SIGSEGV}) {
    auto const now = std::signal(number, SIG_IGN);
    std::signal(number, now);
    all.emplace_back(reinterpret_cast<char const*>(&now), sizeof now);
  }
  all.push_back("error mode " + std::to_string(::GetErrorMode()));
  return all;
}

bool may_change_user() {
  return false;
}

std::string who_runs_this() {
  return {};
}

supplementary_group::supplementary_group() = default;
supplementary_group::~supplementary_group() = default;

bool has_console_window() {
  return ::GetConsoleWindow() != nullptr;
}

// A process that has ended stays what it is for whoever holds a handle of it.
ignored_children::ignored_children() = default;
ignored_children::~ignored_children() = default;

void ask_to_terminate() {
  std::raise(SIGTERM);
}

void set_variable(std::string const& name, std::string const& value) {
  ::_wputenv_s(utf16(name).c_str(), utf16(value).c_str());
}

void remove_variable(std::string const& name) {
  set_variable(name, "");  // removes it
}

// Only memory limits the handles of a process.
no_free_handles::no_free_handles() = default;
no_free_handles::~no_free_handles() = default;

void write_to_channel(std::span<std::byte const> bytes) {
  unique_handle const done(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
  OVERLAPPED operation{};
  // The low bit keeps the completion from the completion port that the channel may belong to.
  operation.hEvent = handle_of(reinterpret_cast<std::uintptr_t>(done.get()) | 1u);
  HANDLE const channel = handle_of(inherited_channel().handle);
  DWORD written = 0;
  if ((!::WriteFile(channel, bytes.data(), static_cast<DWORD>(bytes.size()), nullptr, &operation) &&
       ::GetLastError() != ERROR_IO_PENDING) ||
      ::WaitForSingleObject(done.get(), INFINITE) != WAIT_OBJECT_0 ||
      !::GetOverlappedResult(channel, &operation, &written, FALSE) || written != bytes.size()) {
    throw std::runtime_error("cannot write to the channel");
  }
}

// How it holds the channel: it has inherited the handle.
WORKER_PROGRAM(lives_as_long_as_the_primary) {
  unique_handle const primary(::OpenProcess(SYNCHRONIZE, FALSE, inherited_channel().primary));
  return ::WaitForSingleObject(primary.get(), INFINITE) == WAIT_OBJECT_0 ? 0 : 1;
}

void hold_channel_in_grandchild() {
  HANDLE const channel = handle_of(inherited_channel().handle);
  DWORD before = 0;
  if (!::GetHandleInformation(channel, &before)) fail("GetHandleInformation");
  ::SetHandleInformation(channel, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  std::string const own = std::getenv(worker_program_variable);
  set_variable(worker_program_variable, "lives_as_long_as_the_primary");
  start_program(running_program());
  set_variable(worker_program_variable, own);
  ::SetHandleInformation(channel, HANDLE_FLAG_INHERIT, before);
}

}  // namespace prong::test
