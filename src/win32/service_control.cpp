// Requests to the service control manager.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/process.hpp"
#include "win32/command_line.hpp"
#include "win32/handle.hpp"
#include "win32/service.hpp"
#include "win32/text.hpp"

#include <prong/detail/service_control.hpp>
#include <prong/error.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <type_traits>

namespace prong::detail {
namespace {

using win32::last_error;
using win32::to_utf16;

struct close_handle {
  void operator()(SC_HANDLE handle) const noexcept { ::CloseServiceHandle(handle); }
};
using service_handle = std::unique_ptr<std::remove_pointer_t<SC_HANDLE>, close_handle>;

service_handle open_manager(DWORD access, error_code& ec) {
  ec.clear();
  service_handle manager(::OpenSCManagerW(nullptr, nullptr, access));
  if (!manager) ec = last_error();
  return manager;
}

service_handle open_service(std::string const& name, DWORD access, error_code& ec) {
  auto const manager = open_manager(SC_MANAGER_CONNECT, ec);
  auto const wide = to_utf16(name, ec);
  if (ec) return nullptr;
  service_handle service(::OpenServiceW(manager.get(), wide.c_str(), access));
  if (!service) ec = last_error();
  return service;
}

SERVICE_STATUS_PROCESS status_of(service_handle const& service, error_code& ec) {
  SERVICE_STATUS_PROCESS status{};
  DWORD size = sizeof status;
  if (!::QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO,
                              reinterpret_cast<BYTE*>(&status), size, &size)) {
    ec = last_error();
  }
  return status;
}

// Waits while the service says that it is on its way, which it must repeat within the time that it
// names itself.
SERVICE_STATUS_PROCESS await(service_handle const& service, DWORD on_its_way, errc too_late,
                             error_code& ec) {
  constexpr DWORD look_again = 50;
  constexpr DWORD least_patience = 10'000;
  DWORD checkpoint = 0;
  DWORD waited = 0;
  for (;;) {
    auto const status = status_of(service, ec);
    if (ec || status.dwCurrentState != on_its_way) return status;
    if (std::exchange(checkpoint, status.dwCheckPoint) != status.dwCheckPoint) waited = 0;
    if (waited > std::max(status.dwWaitHint, least_patience)) {
      ec = too_late;
      return status;
    }
    ::Sleep(look_again);
    waited += look_again;
  }
}

error_code error_of(SERVICE_STATUS_PROCESS const& status) {
  if (status.dwWin32ExitCode != ERROR_SERVICE_SPECIFIC_ERROR)
    return win32::system_error(status.dwWin32ExitCode);
  return {static_cast<int>(status.dwServiceSpecificExitCode), category()};
}

// What comes with newer systems, and what a service does without: each may fail.
void configure(service_handle const& service, service_settings const& settings) {
  auto const change = [&](DWORD what, void* how) {
    ::ChangeServiceConfig2W(service.get(), what, how);
  };
  error_code ignored;
  auto text = to_utf16(settings.description, ignored);
  SERVICE_DESCRIPTIONW description{text.data()};
  if (!text.empty()) change(SERVICE_CONFIG_DESCRIPTION, &description);

  SERVICE_PRESHUTDOWN_INFO shutdown{static_cast<DWORD>(settings.shutdown_time.count())};
  change(SERVICE_CONFIG_PRESHUTDOWN_INFO, &shutdown);

  if (settings.restart_delay <= duration::zero()) return;
  constexpr DWORD a_day = 24 * 60 * 60;
  SC_ACTION restart{SC_ACTION_RESTART, static_cast<DWORD>(settings.restart_delay.count())};
  // The last action is for all failures from then on.
  SERVICE_FAILURE_ACTIONSW actions{a_day, nullptr, nullptr, 1, &restart};
  change(SERVICE_CONFIG_FAILURE_ACTIONS, &actions);
  SERVICE_FAILURE_ACTIONS_FLAG also_after_errors{TRUE};
  change(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &also_after_errors);
}

// Without an entry for its source the viewer shows the lines of the event log among an apology.
// EventCreate.exe has messages that are nothing but their text.
std::wstring event_source_key(std::wstring const& name) {
  return L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" + name;
}

void add_event_source(std::wstring const& name) {
  constexpr wchar_t file[] = L"%SystemRoot%\\System32\\EventCreate.exe";
  constexpr DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
  auto const key = event_source_key(name);
  ::RegSetKeyValueW(HKEY_LOCAL_MACHINE, key.c_str(), L"EventMessageFile", REG_EXPAND_SZ, file,
                    sizeof file);
  ::RegSetKeyValueW(HKEY_LOCAL_MACHINE, key.c_str(), L"TypesSupported", REG_DWORD, &types,
                    sizeof types);
}

void control(std::string const& name, DWORD access, DWORD what, error_code& ec) {
  auto const service = open_service(name, access, ec);
  SERVICE_STATUS status{};
  if (!ec && !::ControlService(service.get(), what, &status)) ec = last_error();
}

}  // namespace

void install_service(std::string const& name, service_settings const& settings, error_code& ec) {
  auto program = os::this_program(ec);
  if (ec) return;
  program.arguments = settings.arguments;
  // Quoted as any command line, so that no program of another is found at a blank in the path.
  auto const line = win32::command_line(program, ec);
  auto const wide_name = to_utf16(name, ec);
  auto const display = to_utf16(settings.display_name.empty() ? name : settings.display_name, ec);
  auto const account = to_utf16(settings.account, ec);
  if (ec) return;
  auto const manager = open_manager(SC_MANAGER_CREATE_SERVICE, ec);
  if (ec) return;
  service_handle const service(
      ::CreateServiceW(manager.get(), wide_name.c_str(), display.c_str(),
                       SERVICE_CHANGE_CONFIG | SERVICE_START, SERVICE_WIN32_OWN_PROCESS,
                       settings.starts_with_system ? SERVICE_AUTO_START : SERVICE_DEMAND_START,
                       SERVICE_ERROR_NORMAL, line.c_str(), nullptr, nullptr, nullptr,
                       account.empty() ? nullptr : account.c_str(), nullptr));
  if (!service) {
    ec = last_error();
    return;
  }
  configure(service, settings);
  add_event_source(wide_name);
}

void uninstall_service(std::string const& name, error_code& ec) {
  auto const service = open_service(name, DELETE, ec);
  if (ec) return;
  if (!::DeleteService(service.get())) {
    ec = last_error();
    return;
  }
  error_code ignored;
  ::RegDeleteTreeW(HKEY_LOCAL_MACHINE, event_source_key(to_utf16(name, ignored)).c_str());
}

void start_service(std::string const& name, std::vector<std::string> const& arguments,
                   error_code& ec) {
  auto const service = open_service(name, SERVICE_START | SERVICE_QUERY_STATUS, ec);
  std::vector<std::wstring> texts;
  texts.reserve(arguments.size());
  for (auto const& each : arguments) texts.push_back(to_utf16(each, ec));
  if (ec) return;
  std::vector<wchar_t const*> pointers;
  pointers.reserve(texts.size());
  for (auto const& each : texts) pointers.push_back(each.c_str());
  if (!::StartServiceW(service.get(), static_cast<DWORD>(pointers.size()), pointers.data())) {
    ec = last_error();
    return;
  }
  auto const status = await(service, SERVICE_START_PENDING, errc::start_timeout, ec);
  if (!ec && status.dwCurrentState == SERVICE_STOPPED) ec = error_of(status);
}

void stop_service(std::string const& name, error_code& ec) {
  auto const service = open_service(name, SERVICE_STOP | SERVICE_QUERY_STATUS, ec);
  SERVICE_STATUS status{};
  if (ec) return;
  if (::ControlService(service.get(), SERVICE_CONTROL_STOP, &status))
    await(service, SERVICE_STOP_PENDING, errc::stop_timeout, ec);
  else
    ec = last_error();
}

void reload_service(std::string const& name, error_code& ec) {
  control(name, SERVICE_PAUSE_CONTINUE, SERVICE_CONTROL_PARAMCHANGE, ec);
}

void report_service_status(std::string const& name, error_code& ec) {
  control(name, SERVICE_USER_DEFINED_CONTROL, win32::status_control, ec);
}

service_status query_service(std::string const& name, error_code& ec) {
  auto const service = open_service(name, SERVICE_QUERY_STATUS, ec);
  if (ec) return {};
  auto const status = status_of(service, ec);
  service_status result;
  switch (status.dwCurrentState) {
    case SERVICE_STOPPED: result.state = service_state::stopped; break;
    case SERVICE_START_PENDING: result.state = service_state::starting; break;
    case SERVICE_RUNNING: result.state = service_state::running; break;
    case SERVICE_STOP_PENDING: result.state = service_state::stopping; break;
    default: result.state = service_state::other;
  }
  result.process = status.dwProcessId;
  bool const has_run = status.dwWin32ExitCode != ERROR_SERVICE_NEVER_STARTED;
  if (result.state == service_state::stopped && has_run) result.error = error_of(status);
  return result;
}

}  // namespace prong::detail
