// What `windows_service` needs from compiled code: requests to the service control manager. On
// POSIX each fails with `errc::not_supported`.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <prong/detail/config.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace prong {

/// How a service is installed.
struct service_settings {
  std::string display_name{};  ///< for people; empty: the service's name
  std::string description{};
  /// What this program gets on its command line at each start, before the arguments of the start.
  std::vector<std::string> arguments{};
  /// Under whose name it runs. The default may do little, so it must be able to read the program's
  /// file. "LocalSystem" may do everything. "NT SERVICE\<name of the service>" can be given rights.
  std::string account = "NT AUTHORITY\\LocalService";
  bool starts_with_system = true;
  /// When it is started again after a crash or an error; 0: not at all.
  duration restart_delay{2'000};
  /// How long the shutdown of the system waits for it; more than `options::stop_timeout`.
  duration shutdown_time{45'000};
};

enum class service_state : std::uint8_t {
  stopped,
  starting,
  running,
  stopping,
  other,  ///< paused, or on its way to or from it: prong's services never are
};

struct service_status {
  service_state state = service_state::stopped;
  process_id process = 0;  ///< 0 if stopped
  error_code error{};      ///< why it ended, if stopped: what `host::stopped` was told
};

namespace detail {

void install_service(std::string const& name, service_settings const& settings, error_code& ec);
void uninstall_service(std::string const& name, error_code& ec);
void start_service(std::string const& name, std::vector<std::string> const& arguments,
                   error_code& ec);
void stop_service(std::string const& name, error_code& ec);
void reload_service(std::string const& name, error_code& ec);
void report_service_status(std::string const& name, error_code& ec);
service_status query_service(std::string const& name, error_code& ec);

}  // namespace detail
}  // namespace prong
