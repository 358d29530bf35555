// The seam's host in the simulation, where nobody starts a primary: prong::run names it.
// SPDX-License-Identifier: BSL-1.0
#include "common/os/host.hpp"

#include <prong/error.hpp>

namespace prong::os {

class host::impl {};

host::host(asio::any_io_executor, host_requests, error_code& ec) {
  ec = errc::not_supported;
}
host::~host() = default;

std::vector<std::string> host::start_arguments() const {
  return {};
}
void host::ready() {}
void host::reloading() {}
void host::stopping() {}
void host::progress(duration) {}
void host::stopped(error_code) {}
void host::status(std::string_view) {}
void host::log(log_level, std::string_view) {}

}  // namespace prong::os
