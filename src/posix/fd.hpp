// File descriptors: their owner, and the flags that every descriptor of prong has.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "common/os/socket.hpp"

#include <prong/detail/config.hpp>

#include <fcntl.h>
#include <cerrno>

namespace prong::posix {

/// On POSIX a socket is a descriptor like any other, so one owner serves for all of them.
using unique_fd = os::socket;

inline error_code system_error(int number) noexcept {
  return {number, boost::system::system_category()};
}
inline error_code last_error() noexcept {
  return system_error(errno);
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call call) noexcept {
  for (;;) {
    auto const result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// No program that this process starts may inherit a descriptor that was not meant for it (C5).
inline bool set_close_on_exec(int fd) noexcept {
  int const flags = ::fcntl(fd, F_GETFD);
  return flags != -1 && ::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != -1;
}

inline bool set_non_blocking(int fd) noexcept {
  int const flags = ::fcntl(fd, F_GETFL);
  return flags != -1 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != -1;
}

inline bool set_blocking(int fd) noexcept {
  int const flags = ::fcntl(fd, F_GETFL);
  return flags != -1 && ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != -1;
}

/// Moves a descriptor out of the way of those numbers that a started program uses.
inline unique_fd duplicate_above(int fd, int least, error_code& ec) noexcept {
  unique_fd copy{::fcntl(fd, F_DUPFD_CLOEXEC, least)};
  if (!copy) ec = last_error();
  return copy;
}

}  // namespace prong::posix
