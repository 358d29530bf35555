// The sockets that systemd opens for a service.
// SPDX-License-Identifier: BSL-1.0
#include "posix/listen_fds.hpp"

#include "posix/variables.hpp"

#include <unistd.h>
#include <sstream>
#include <string>

namespace prong::posix {

std::vector<int> listen_fds_called(std::string_view name) {
  std::vector<int> found;
  char const* const names = std::getenv(listen_names_variable);
  // The variables may have been inherited from a service that started this process.
  bool const ours = number_in(listen_pid_variable) == static_cast<std::uint64_t>(::getpid());
  if (names == nullptr || !ours) return found;
  constexpr int first = 3;
  auto left = number_in(listen_fds_variable);
  std::istringstream all(names);
  int fd = first;
  for (std::string each; left > 0 && std::getline(all, each, ':'); --left, ++fd) {
    if (each == name) found.push_back(fd);
  }
  return found;
}

}  // namespace prong::posix
