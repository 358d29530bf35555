// The server of the benchmark: one worker loop, fed from different sources of connections, so that
// what is compared is the source. Listens on 127.0.0.1, any port, and says which in one line of
// JSON when all workers listen. Ends with its standard input, or by SIGTERM, and its workers with
// it.
// SPDX-License-Identifier: BSL-1.0
#include "source.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <map>

namespace {

using run_source = int (*)(bench::settings const&);

std::map<std::string, run_source> const sources{{"prong", bench::run_prong},
                                                {"single", bench::run_single},
                                                {"direct", bench::run_direct},
                                                {"hand_off", bench::run_hand_off},
                                                {"shared_queue", bench::run_shared_queue}};

/// Those that the library has. A template, because else a name that is not there is an error.
template <class Scheduling>
std::map<std::string, Scheduling> schedulings() {
  std::map<std::string, Scheduling> result{{"round_robin", Scheduling::round_robin},
                                           {"shared", Scheduling::shared}};
  if constexpr (requires { Scheduling::sharded; }) result["sharded"] = Scheduling::sharded;
  if constexpr (requires { Scheduling::least_connections; })
    result["least_connections"] = Scheduling::least_connections;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  bench::settings how;
  how.workers = prong::available_parallelism();
  CLI::App app("Serves HTTP from several workers, for the benchmark.", "bench_server");
  app.add_option("--source", how.source, "Where connections come from")
      ->check(CLI::IsMember(sources))
      ->capture_default_str();
  app.add_option("--workers", how.workers, "How many workers")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--scheduling", how.scheduling, "Of prong")
      ->transform(CLI::CheckedTransformer(schedulings<prong::scheduling>()));
  app.add_option("--window", how.window, "Of prong: options::window; 0 for its default");
  app.add_flag("--count", how.count, "Of prong: count_connection for each connection");
  CLI11_PARSE(app, argc, argv);
  try {
    return sources.at(how.source)(how);
  } catch (std::exception const& error) {
    fmt::print(stderr, "bench_server: {}\n", error.what());
    return 1;
  }
}
