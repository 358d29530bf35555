// Lives of a cluster drawn from seeds.
//
// PRONG_SIM_SEEDS=n  runs n seeds in all, instead of 20 000
// PRONG_SIM_SEED=s   runs one seed, in the first test case, and prints all that happens
// SPDX-License-Identifier: BSL-1.0
#include "sim/scenario.hpp"
#include "support/catch.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace prong::sim {
namespace {

constexpr std::uint64_t parts = 8;
constexpr std::uint64_t default_seeds = 20'000;

std::uint64_t number_from(char const* variable, std::uint64_t otherwise) {
  char const* const set = std::getenv(variable);
  return set ? std::stoull(set) : otherwise;
}

std::uint64_t running_seed = 0;

// An assertion of the library ends the program. Which seed it was must be known nevertheless.
void on_abort(int) {
  std::fprintf(stderr, "seed %llu:\n%s", static_cast<unsigned long long>(running_seed),
               system::current().trace().c_str());
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

class abort_guard {
 public:
  abort_guard() : before_(std::signal(SIGABRT, on_abort)) {}
  abort_guard(abort_guard const&) = delete;
  abort_guard& operator=(abort_guard const&) = delete;
  ~abort_guard() { std::signal(SIGABRT, before_); }

 private:
  void (*before_)(int);
};

outcome run(std::uint64_t seed, bool print_trace = false) {
  abort_guard const guard;
  running_seed = seed;
  return run_seed(seed, print_trace);
}

void expect_well(std::uint64_t seed, outcome const& result) {
  if (!result.failure.empty())
    FAIL("PRONG_SIM_SEED=" << seed << " breaks " << result.failure << "\nThe last events:\n"
                           << result.trace);
}

void run_part(std::uint64_t part) {
  if (std::getenv("PRONG_SIM_SEED")) return;
  auto const count = number_from("PRONG_SIM_SEEDS", default_seeds) / parts;
  auto const first = 1 + part * count;
  std::uint64_t steps = 0, accepted = 0, handed_over = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    auto const result = run(seed);
    expect_well(seed, result);
    steps += result.steps;
    accepted += result.accepted;
    handed_over += result.handed_over;
  }
  std::printf("seeds %llu to %llu: %llu steps, %llu connections accepted, %llu handed over\n",
              static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(first + count - 1),
              static_cast<unsigned long long>(steps), static_cast<unsigned long long>(accepted),
              static_cast<unsigned long long>(handed_over));
  CHECK(handed_over > 0);
}

}  // namespace

TEST_CASE("a seed that once failed, or the one asked for, keeps all invariants", "[sim]") {
  if (auto const one = number_from("PRONG_SIM_SEED", 0); one != 0) {
    expect_well(one, run(one, true));
    return;
  }
  std::ifstream file(PRONG_SEEDS);
  REQUIRE(file);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::uint64_t seed = 0;
    if (words >> seed) expect_well(seed, run(seed));
  }
}

#define SEEDS(part)                                               \
  TEST_CASE("whatever happens, all invariants hold: part " #part, \
            "[sim][I1][I2][I3][I4][I5][I6][I7][I8][I9][I10]") {   \
    run_part(part - 1);                                           \
  }
SEEDS(1)
SEEDS(2)
SEEDS(3)
SEEDS(4)
SEEDS(5)
SEEDS(6)
SEEDS(7)
SEEDS(8)

TEST_CASE("a seed always gives the same run", "[sim]") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) CHECK(run(seed).digest == run(seed).digest);
}

}  // namespace prong::sim
