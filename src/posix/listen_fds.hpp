// The sockets that systemd opens for a service, by its protocol of variables (sd_listen_fds).
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>
#include <vector>

namespace prong::posix {

inline constexpr char listen_pid_variable[] = "LISTEN_PID";
inline constexpr char listen_fds_variable[] = "LISTEN_FDS";
inline constexpr char listen_names_variable[] = "LISTEN_FDNAMES";

/// The descriptors that have this name. Several may: all sockets of one unit have the same, if it
/// does not say otherwise.
std::vector<int> listen_fds_called(std::string_view name);

}  // namespace prong::posix
