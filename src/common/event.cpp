// Events in words.
// SPDX-License-Identifier: BSL-1.0
#include <prong/event.hpp>

#include <fmt/format.h>

namespace prong {

std::string describe(worker_exited const& how) {
  if (how.process == 0) return fmt::format("could not be started: {}", how.error.message());
  auto text = how.signal != 0 ? fmt::format("was killed by signal {}", how.signal)
                              : fmt::format("exited with status {}", how.status);
  if (how.error) text += fmt::format(" ({})", how.error.message());
  return text;
}

std::string describe(worker_listen_failed const& what) {
  return fmt::format("{}: {}",
                     to_string(detail::listen_request{what.endpoint, false, {}, what.from}),
                     what.error.message());
}

}  // namespace prong
