// This process as a service: its connection to the service control manager.
//
// The dispatcher, which the system wants to run for as long as the service does, has a thread of
// its own, so that `main` of a program is the same on a console. The system calls `main` below on
// another thread, and `control` on the dispatcher's. None of them knows of an object of ours, hence
// the one global pointer.
// SPDX-License-Identifier: BSL-1.0
#include "win32/service.hpp"

#include "win32/text.hpp"

#include <prong/error.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace prong::win32 {
namespace {

// A process may ask once. Whether the answer was that the manager has not started it:
std::atomic<bool> is_no_service = false;

service* the_service = nullptr;  // set before the dispatcher starts, and reset after it has ended

// Not members, because the system's thread may still be about to leave them when the object goes.
std::mutex guard;
std::condition_variable changed;

// How long the system is to wait for the first word of the service's own.
constexpr DWORD first_hint = 30'000;
// The system's messages 1 to 1000 of EventCreate.exe are nothing but the text that comes with them.
constexpr DWORD plain_text = 1;

bool is_pending(DWORD state) noexcept {
  return state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;
}

}  // namespace

std::unique_ptr<service> service::connect(on_control asked, error_code& ec) {
  ec.clear();
  if (is_no_service) return nullptr;
  std::unique_ptr<service> result(new service(std::move(asked)));
  the_service = result.get();
  auto& self = *result;
  self.dispatcher_ = std::thread([&self] { self.dispatch(); });
  std::unique_lock lock(guard);
  changed.wait(lock, [&] { return self.handle_ != nullptr || self.refused_ != NO_ERROR; });
  if (self.refused_ == NO_ERROR) return result;
  is_no_service = self.refused_ == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT;
  if (!is_no_service) ec = system_error(self.refused_);
  lock.unlock();
  return nullptr;
}

service::~service() {
  {
    std::unique_lock lock(guard);
    bool const crashes = handle_ != nullptr && status_.dwCurrentState != SERVICE_STOPPED;
    if (crashes) report(SERVICE_STOPPED, ERROR_PROCESS_ABORTED);
    changed.wait(lock, [this] { return !in_main_; });
  }
  dispatcher_.join();
  the_service = nullptr;
  if (event_log_ != nullptr) ::DeregisterEventSource(event_log_);
}

void service::dispatch() {
  // A service that is alone in its process needs no name here.
  wchar_t no_name[] = L"";
  SERVICE_TABLE_ENTRYW const table[] = {{no_name, &service::main}, {nullptr, nullptr}};
  if (::StartServiceCtrlDispatcherW(table)) return;
  DWORD const why = ::GetLastError();
  std::lock_guard const lock(guard);
  refused_ = why;
  changed.notify_all();
}

void WINAPI service::main(DWORD count, wchar_t** arguments) {
  the_service->begin(count, arguments);
}

void service::begin(DWORD count, wchar_t** arguments) {
  std::wstring const name = count > 0 ? arguments[0] : L"";
  for (DWORD i = 1; i < count; ++i) arguments_.push_back(to_utf8(arguments[i]));
  event_log_ = ::RegisterEventSourceW(nullptr, name.c_str());
  auto* const handle = ::RegisterServiceCtrlHandlerExW(name.c_str(), &service::control, this);
  std::unique_lock lock(guard);
  in_main_ = true;
  if (handle == nullptr) {
    refused_ = ::GetLastError();
  } else {
    handle_ = handle;
    status_.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
    status_.dwWaitHint = first_hint;
    report(SERVICE_START_PENDING);
  }
  changed.notify_all();
  // Some systems take the return of this function for the end of the service.
  changed.wait(lock,
               [this] { return handle_ == nullptr || status_.dwCurrentState == SERVICE_STOPPED; });
  in_main_ = false;
  changed.notify_all();
}

DWORD WINAPI service::control(DWORD what, DWORD, void*, void* context) {
  auto& self = *static_cast<service*>(context);
  switch (what) {
    case SERVICE_CONTROL_INTERROGATE: return NO_ERROR;  // the system knows all that there is
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_PRESHUTDOWN: self.stopping(); break;
    case SERVICE_CONTROL_PARAMCHANGE:
    case status_control: break;
    default: return ERROR_CALL_NOT_IMPLEMENTED;
  }
  self.asked_(what);
  return NO_ERROR;
}

void service::running() {
  std::lock_guard const lock(guard);
  if (status_.dwCurrentState == SERVICE_START_PENDING) report(SERVICE_RUNNING);
}

void service::stopping() {
  std::lock_guard const lock(guard);
  auto const now = status_.dwCurrentState;
  if (now == SERVICE_STOP_PENDING || now == SERVICE_STOPPED) return;
  status_.dwWaitHint = first_hint;
  report(SERVICE_STOP_PENDING);
}

void service::progress(duration at_most) {
  std::lock_guard const lock(guard);
  if (!is_pending(status_.dwCurrentState)) return;
  status_.dwWaitHint = static_cast<DWORD>(std::clamp<duration::rep>(at_most.count(), 1, MAXLONG));
  report(status_.dwCurrentState);
}

void service::stopped(error_code why) {
  std::lock_guard const lock(guard);
  if (status_.dwCurrentState == SERVICE_STOPPED) return;
  auto const code = static_cast<DWORD>(why.value());
  if (!why || why.category() == boost::system::system_category())
    report(SERVICE_STOPPED, code);
  else
    report(SERVICE_STOPPED, ERROR_SERVICE_SPECIFIC_ERROR, code);
}

// Called with the mutex locked.
void service::report(DWORD state, DWORD exit_code, DWORD own_exit_code) {
  constexpr DWORD accepted =
      SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;
  if (!is_pending(state)) status_.dwWaitHint = 0;
  status_.dwCheckPoint = is_pending(state) ? status_.dwCheckPoint + 1 : 0;
  status_.dwCurrentState = state;
  status_.dwControlsAccepted = state == SERVICE_RUNNING ? accepted : 0;
  status_.dwWin32ExitCode = exit_code;
  status_.dwServiceSpecificExitCode = own_exit_code;
  ::SetServiceStatus(handle_, &status_);
  if (state == SERVICE_STOPPED) changed.notify_all();
}

void service::log(log_level level, std::string_view text) const {
  if (event_log_ == nullptr || level == log_level::debug) return;
  WORD const type = level == log_level::error     ? EVENTLOG_ERROR_TYPE
                    : level == log_level::warning ? EVENTLOG_WARNING_TYPE
                                                  : EVENTLOG_INFORMATION_TYPE;
  error_code ignored;
  auto const wide = to_utf16(text, ignored);
  wchar_t const* line = wide.c_str();
  ::ReportEventW(event_log_, type, 0, plain_text, nullptr, 1, 0, &line, nullptr);
}

}  // namespace prong::win32
