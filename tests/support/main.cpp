// The main function of every test program: Catch, or one of the workers that its tests start.
// SPDX-License-Identifier: BSL-1.0
#define CATCH_CONFIG_RUNNER
#include "support/catch.hpp"
#include "support/worker_body.hpp"

#include <cstdio>
#include <cstdlib>

namespace prong::test {

worker_programs& all_worker_programs() {
  static worker_programs programs;
  return programs;
}

}  // namespace prong::test

namespace {

int run_worker(char const* name) {
  auto const& programs = prong::test::all_worker_programs();
  auto const found = programs.find(std::string_view(name != nullptr ? name : ""));
  if (found == programs.end()) {
    std::fprintf(stderr, "no worker program is named '%s'\n", name != nullptr ? name : "");
    return 2;
  }
  try {
    return found->second();
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "worker program %s: %s\n", name, failure.what());
    return 3;
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  if (std::getenv("PRONG_CHANNEL") == nullptr) return Catch::Session().run(argc, argv);
  return run_worker(std::getenv(prong::test::worker_program_variable));
}
