// This process as a service: its connection to the service control manager.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "win32/handle.hpp"

#include <prong/options.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace prong::win32 {

/// The user-defined control that asks for the status.
inline constexpr DWORD status_control = 128;

class service {
 public:
  /// Called with a control that a service of prong accepts, on a thread of the system.
  using on_control = std::function<void(DWORD)>;

  /// None, and no error, if the service control manager has not started this process. Returns
  /// when it has told how, and takes the service for starting from then on.
  static std::unique_ptr<service> connect(on_control asked, error_code& ec);

  service(service const&) = delete;
  service& operator=(service const&) = delete;
  /// Says that it has crashed, if it was not told `stopped`.
  ~service();

  /// What came with the start.
  std::vector<std::string> const& arguments() const noexcept { return arguments_; }

  void running();
  void stopping();
  /// Raises the checkpoint, if the service starts or stops.
  void progress(duration at_most);
  void stopped(error_code why);
  /// Writes to the event log.
  void log(log_level level, std::string_view text) const;

 private:
  explicit service(on_control asked) : asked_(std::move(asked)) {}

  static void WINAPI main(DWORD count, wchar_t** arguments);
  static DWORD WINAPI control(DWORD what, DWORD event, void* data, void* context);

  void dispatch();
  void begin(DWORD count, wchar_t** arguments);
  void report(DWORD state, DWORD exit_code = NO_ERROR, DWORD own_exit_code = 0);

  on_control asked_;
  std::vector<std::string> arguments_;
  HANDLE event_log_ = nullptr;

  // What follows is for all threads.
  SERVICE_STATUS_HANDLE handle_ = nullptr;
  SERVICE_STATUS status_{};
  DWORD refused_ = NO_ERROR;  // why there is no connection
  bool in_main_ = false;      // a thread of the system is in `begin`
  std::thread dispatcher_;
};

}  // namespace prong::win32
