// What a test of the examples on Windows does to a process that it knows by its number: under Wine
// the system that runs the test does not know that number.
//   process_tool kill|suspend|is-running PROCESS
// SPDX-License-Identifier: BSL-1.0
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

// In ntdll since Windows XP; no header declares it.
extern "C" LONG NTAPI NtSuspendProcess(HANDLE process);

namespace {

// Under Wine 8 a process that is killed while it is in a call may leave a socket open behind it.
bool kill_suspended(HANDLE process) {
  ::NtSuspendProcess(process);
  return ::TerminateProcess(process, 1) != 0;
}

bool is_done(std::string_view what, HANDLE process) {
  if (what == "kill") return kill_suspended(process);
  if (what == "suspend") return ::NtSuspendProcess(process) >= 0;
  return what == "is-running" && ::WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc != 3) {
    std::fputs("usage: process_tool kill|suspend|is-running PROCESS\n", stderr);
    return 2;
  }
  auto const id = static_cast<DWORD>(std::strtoul(argv[2], nullptr, 10));
  HANDLE const process =
      ::OpenProcess(PROCESS_TERMINATE | PROCESS_SUSPEND_RESUME | SYNCHRONIZE, FALSE, id);
  bool const done = process != nullptr && is_done(argv[1], process);
  if (process != nullptr) ::CloseHandle(process);
  return done ? 0 : 1;
}
