// What the sources share.
// SPDX-License-Identifier: BSL-1.0
#include "source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <prong/worker.hpp>

#include <cstdio>
#include <thread>

namespace bench {

void announce(std::uint16_t port, std::vector<prong::process_id> const& workers) {
  fmt::print("{{\"port\": {}, \"primary\": {}, \"workers\": [{}]}}\n", port, prong::this_process(),
             fmt::join(workers, ", "));
  std::fflush(stdout);
}

end_watch::end_watch(asio::io_context& context) : signals_(context, SIGINT, SIGTERM) {
  signals_.async_wait([&context](error_code ec, int) {
    if (!ec) context.stop();
  });
  // Nothing portable waits for standard input but a thread. It ends with the process.
  std::thread([&context] {
    while (std::getchar() != EOF) continue;
    context.stop();
  }).detach();
}

}  // namespace bench
