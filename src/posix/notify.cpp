// What systemd wants to hear of a service.
// SPDX-License-Identifier: BSL-1.0
#include "posix/notify.hpp"

#include "posix/calls.hpp"
#include "posix/variables.hpp"

#include <sys/time.h>
#include <unistd.h>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace prong::posix {
namespace {

// Blocking, so that what must arrive may wait; but not for a supervisor that never reads.
unique_fd open_datagram_socket(error_code& ec) noexcept {
  auto result = open_socket(AF_UNIX, SOCK_DGRAM, ec);
  if (ec) return {};
  timeval const patience{1, 0};
  if (!set_blocking(result.get()) ||
      ::setsockopt(result.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == -1) {
    ec = last_error();
    result.reset();
  }
  return result;
}

}  // namespace

notify_socket::notify_socket(error_code& ec) {
  ec.clear();
  char const* const variable = std::getenv(notify_socket_variable);
  if (variable == nullptr) return;
  std::string_view const path = variable;
  // Other forms than a path and an abstract name would be other families.
  if (path.size() < 2 || (path.front() != '/' && path.front() != '@')) {
    ec = asio::error::address_family_not_supported;
    return;
  }
  if (path.size() >= sizeof address_.sun_path) {
    ec = asio::error::name_too_long;
    return;
  }
  address_.sun_family = AF_UNIX;
  path.copy(address_.sun_path, path.size());
  if (path.front() == '@') address_.sun_path[0] = '\0';
  address_size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  socket_ = open_datagram_socket(ec);
}

void notify_socket::send(std::string const& lines, bool may_wait, error_code& ec) const noexcept {
  ec.clear();
  int const flags = send_flags | (may_wait ? 0 : MSG_DONTWAIT);
  auto const* const to = reinterpret_cast<sockaddr const*>(&address_);
  auto const sent = retry([&] {
    return ::sendto(socket_.get(), lines.data(), lines.size(), flags, to, address_size_);
  });
  if (sent == -1) ec = last_error();
}

std::optional<std::chrono::microseconds> watchdog_time() {
  auto const time = number_in(watchdog_time_variable);
  if (time == 0 || time > INT64_MAX) return std::nullopt;
  // The variables may have been inherited from a service that started this process.
  bool const for_one = std::getenv(watchdog_pid_variable) != nullptr;
  if (for_one && number_in(watchdog_pid_variable) != static_cast<std::uint64_t>(::getpid()))
    return std::nullopt;
  return std::chrono::microseconds(static_cast<std::int64_t>(time));
}

std::chrono::microseconds monotonic_time() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

}  // namespace prong::posix
