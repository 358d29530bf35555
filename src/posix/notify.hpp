// What systemd wants to hear of a service, by its protocol of datagrams (sd_notify), which is
// simple enough to need no library.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "posix/fd.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <optional>
#include <string>

namespace prong::posix {

inline constexpr char notify_socket_variable[] = "NOTIFY_SOCKET";
inline constexpr char watchdog_time_variable[] = "WATCHDOG_USEC";
inline constexpr char watchdog_pid_variable[] = "WATCHDOG_PID";

class notify_socket {
 public:
  /// Finds the socket by the environment. Without the variable there is none, and no error.
  explicit notify_socket(error_code& ec);

  explicit operator bool() const noexcept { return static_cast<bool>(socket_); }
  /// One datagram: lines of the form NAME=value. Waits for room for a second, if it may.
  void send(std::string const& lines, bool may_wait, error_code& ec) const noexcept;

 private:
  unique_fd socket_;
  sockaddr_un address_{};
  socklen_t address_size_ = 0;
};

/// Within which time the supervisor wants to hear that this process lives; none if it does not.
std::optional<std::chrono::microseconds> watchdog_time();

/// The time that RELOADING=1 must carry, so that it is not taken for one of an earlier reload.
std::chrono::microseconds monotonic_time() noexcept;

}  // namespace prong::posix
