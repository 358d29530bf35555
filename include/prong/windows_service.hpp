// A Windows service whose process is a primary, and what its program may ask the service control
// manager. Only for Windows; elsewhere this compiles, and each call fails with
// `errc::not_supported`.
//
// To be a service a program needs no more than `prong::run`, or a `prong::host`: both notice that
// the service control manager has started the process. It sees the service start until all workers
// are ready, and stop until the last has drained, with wait hints that follow the timeouts of
// `prong::options`. STOP and PRESHUTDOWN shut down gracefully, PARAMCHANGE reloads, and control
// 128 writes the status to the event log. A start that fails, and every other end with
// an error, is the service's exit code, upon which the manager restarts it. The library's log goes
// to the event log if `options::log` calls `host::log`. The same program runs on a console, where
// the host is Ctrl-C.
//
// This class is for the program's own `install`, `start` and so on, as in
// examples/windows_service.cpp; `sc` and `net` do as well. All calls block, none is fast.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/service_control.hpp>

#include <utility>

namespace prong {

class windows_service {
 public:
  /// Names a service, which need not exist.
  explicit windows_service(std::string name) : name_(std::move(name)) {}
  std::string const& name() const noexcept { return name_; }

  /// Makes it of this program. What the system does not know of the settings beside account and
  /// start is left out.
  void install(service_settings const& settings, error_code& ec) const {
    detail::install_service(name_, settings, ec);
  }
  /// Removes it; it must be stopped, or goes when it stops.
  void uninstall(error_code& ec) const { detail::uninstall_service(name_, ec); }

  /// Starts it, and waits until it runs; the error is what kept it, or `errc::start_timeout` if it
  /// makes no progress.
  void start(std::vector<std::string> const& arguments, error_code& ec) const {
    detail::start_service(name_, arguments, ec);
  }
  /// Asks it to stop, and waits until it has; `errc::stop_timeout` if it makes no progress.
  void stop(error_code& ec) const { detail::stop_service(name_, ec); }
  /// Asks it to replace its workers; the event log tells what came of it.
  void reload(error_code& ec) const { detail::reload_service(name_, ec); }
  /// Asks it to write its status to the event log.
  void report_status(error_code& ec) const { detail::report_service_status(name_, ec); }
  service_status query(error_code& ec) const { return detail::query_service(name_, ec); }

 private:
  std::string name_;
};

}  // namespace prong
