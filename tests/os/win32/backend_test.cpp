// What only Windows has: jobs, the pipe's name, the form of the environment, scripts.
// SPDX-License-Identifier: BSL-1.0
#include "os/seam_fixture.hpp"
#include "win32/command_line.hpp"
#include "win32/job.hpp"
#include "win32/launch.hpp"
#include "win32/pipe.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace prong::test {
namespace {

std::wstring name_of(win32::unique_handle const& pipe) {
  alignas(FILE_NAME_INFO) std::array<std::byte, 1024> memory{};
  REQUIRE(::GetFileInformationByHandleEx(pipe.get(), FileNameInfo, memory.data(),
                                         static_cast<DWORD>(memory.size())));
  auto const* const info = reinterpret_cast<FILE_NAME_INFO const*>(memory.data());
  return L"\\\\.\\pipe" + std::wstring(info->FileName, info->FileNameLength / sizeof(wchar_t));
}

}  // namespace

WORKER_PROGRAM(ends_at_once) {
  return 0;
}

TEST_CASE("a worker is in the job of its primary, however it gets there", "[os][C10]") {
  auto const entry = GENERATE(win32::job_entry::at_birth, win32::job_entry::before_it_runs);
  error_code ec;
  auto const ends = win32::open_pipe(ec);
  auto const started = win32::launch(worker_called("ends_at_once"), {ends.theirs.get()}, entry, ec);
  REQUIRE_FALSE(ec);
  BOOL inside = FALSE;
  CHECK(::IsProcessInJob(started.process.get(), win32::workers_job(ec), &inside));
  CHECK(inside);
  CHECK(::WaitForSingleObject(started.process.get(), 30'000) == WAIT_OBJECT_0);
  DWORD code = 1;
  CHECK(::GetExitCodeProcess(started.process.get(), &code));
  CHECK(code == 0);
}

TEST_CASE("nobody can open the pipe of a worker or make another of its name", "[os]") {
  error_code ec;
  auto const ends = win32::open_pipe(ec);
  REQUIRE_FALSE(ec);
  auto const name = name_of(ends.ours);
  win32::unique_handle const client(::CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0,
                                                  nullptr, OPEN_EXISTING, 0, nullptr));
  CHECK(::GetLastError() == ERROR_PIPE_BUSY);
  CHECK_FALSE(client);
  win32::unique_handle const server(
      ::CreateNamedPipeW(name.c_str(), PIPE_ACCESS_DUPLEX, PIPE_WAIT, 1, 0, 0, 0, nullptr));
  CHECK_FALSE(server);
  auto const others = win32::open_pipe(ec);
  CHECK(name_of(others.ours) != name);
}

TEST_CASE("the environment is sorted, and a name replaces itself in any case", "[os]") {
  error_code ec;
  os::program what;
  what.environment = {
      {"prong_test_b", "1"}, {"PRONG_TEST_B", "2"}, {"Prong_Test_A", "3"}, {"PRONG_TEST_C", ""}};
  auto const block = win32::environment_block(what, L"x", {}, ec);
  REQUIRE_FALSE(ec);
  std::vector<std::wstring> ours;
  for (std::size_t at = 0; block[at] != L'\0';) {
    std::wstring const entry(block.c_str() + at);
    at += entry.size() + 1;
    constexpr std::wstring_view prefix = L"PRONG_TEST_";
    auto const length = static_cast<int>(prefix.size());
    if (entry.size() > prefix.size() &&
        ::CompareStringOrdinal(entry.c_str(), length, prefix.data(), length, TRUE) == CSTR_EQUAL)
      ours.push_back(entry);
  }
  CHECK(ours == std::vector<std::wstring>{L"Prong_Test_A=3", L"prong_test_b=2", L"PRONG_TEST_C="});
}

TEST_CASE("a script, whose arguments a shell would read, is refused", "[os][C7]") {
  asio::io_context io;
  auto const path = std::filesystem::temp_directory_path() / "prong_test_script.CMD";
  std::ofstream(path) << "exit 0\n";
  os::program what;
  what.executable = path;
  error_code ec;
  CHECK_FALSE(os::spawn(io.get_executor(), what, ec));
  CHECK(ec == asio::error::operation_not_supported);
  std::filesystem::remove(path);
}

WORKER_PROGRAM(returns) {
  return static_cast<int>(std::stoul(worker_arguments().at(0)));
}

TEST_CASE("all 32 bits of an exit status arrive, also the one that means still running", "[os]") {
  asio::io_context io;
  for (auto const code : {0u, 1u, 255u, 256u, 259u, 65537u, 0xC0000005u, 0xFFFFFFFFu}) {
    auto worker = start(io, "returns", {std::to_string(code)});
    auto const how = wait_for_exit(io, worker->child);
    CHECK(static_cast<unsigned>(how.code) == code);
    CHECK(how.signal == 0);
  }
}

TEST_CASE("a worker that crashes ends, with the exception's number", "[os]") {
  asio::io_context io;
  auto worker = start(io, "crashes");
  CHECK(static_cast<unsigned>(wait_for_exit(io, worker->child).code) == 0xC0000005u);
}

WORKER_PROGRAM(crashes) {
  worker_side self;
  ::RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, nullptr);
  return 0;
}

WORKER_PROGRAM(tells_of_its_console) {
  return tell({::GetConsoleCP() != 0 ? "a console" : "no console",
               ::GetConsoleWindow() != nullptr ? "a window" : "no window"});
}

TEST_CASE("a worker with a hidden window has a console all the same", "[os]") {
  asio::io_context io;
  auto what = worker_called("tells_of_its_console");
  what.hide_window = true;
  CHECK(told_by(io, what) == std::vector<std::string>{"a console", "no window"});
}

TEST_CASE("a worker of another user is refused", "[os][C7]") {
  asio::io_context io;
  auto what = worker_called("ends_at_once");
  auto& number = GENERATE(false, true) ? what.user : what.group;
  number = 1;
  error_code ec;
  CHECK_FALSE(os::spawn(io.get_executor(), what, ec));
  CHECK(ec == asio::error::operation_not_supported);
}

}  // namespace prong::test
